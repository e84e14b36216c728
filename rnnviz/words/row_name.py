"""What the gradient row is called: the gradient of a loss, or, with weights alone, what one state does to a later one.

>>> symbol(40), symbol(40, has_loss=False)
('‖∂L₄₀/∂h‖', '‖∂h₄₀/∂h‖')
"""

from __future__ import annotations

from rnnviz.numbers import subscript

#: The two norms of ∂h_k/∂h_t; t switches between them.
LARGEST, FROBENIUS = "the largest singular value", "the Frobenius norm"


def symbol(k: int | None, *, has_loss: bool = True, t: int | None = None) -> str:
    """`‖∂L₄₀/∂h‖`, and of one time step `‖∂L₄₀/∂h₇‖`; the total has no number."""
    of = ("L" if has_loss else "h") + ("" if k is None else subscript(k))
    return f"‖∂{of}/∂h{'' if t is None else subscript(t)}‖"


def line(k: int, frobenius: bool, room: int) -> str:
    """Which norm the bars are, where no loss is known."""
    which, other = (FROBENIUS, LARGEST) if frobenius else (LARGEST, FROBENIUS)
    of = f"∂h{subscript(k)}/∂hₜ"
    forms = (
        f"no targets, so no gradient of a loss · bars: {which} of {of}",
        f"no targets · bars: {which} of {of}",
        f"bars: {which} of {of}",
    )
    key = f" · t: {other.removeprefix('the ')}"
    return next((text for text in (*(form + key for form in forms), *forms) if len(text) <= room), forms[-1][:room])
