"""Symbols in words: every form that sentences use, and no character that a voice would leave out."""

from __future__ import annotations

import unicodedata

import pytest

from rnnviz.words.spoken import PUNCTUATION, spoken


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("‖∂L₄₀/∂h₇‖", "the norm of the gradient of the loss of step 40 with respect to h at step 7"),
        ("‖∂L/∂h‖", "the norm of the gradient of the loss with respect to h"),
        ("∂L₁₀/∂h[3]", "the gradient of the loss of step 10 with respect to h of unit 3"),
        ("‖∂h₄₀/∂hₜ‖", "the norm of the derivative of h at step 40 with respect to h at step t"),
        ("hₜ₋₁ and xₜ", "h at step t minus 1 and x at step t"),
        ("h[3] = tanh(-0.214)", "h of unit 3 equals tanh(minus 0.214)"),
        ("x[2], ŷ[1]", "x number 2, y hat number 1"),
        ("W_hhᵀ", "W h h transposed"),
        ("3.9e-04", "3.9 times ten to the minus 4"),
        ("1e-05, 1e+09", "ten to the minus 5, ten to the 9"),
        ("4.3e-01, 9.9e-03, 1.2e+02", "0.43, 0.0099, 120"),
        ("-0.5, −0.5, +0.5", "minus 0.5, minus 0.5, 0.5"),
        ("-inf, +inf, nan", "minus infinity, infinity, not a number"),
        ("0.71·0.41 × 2", "0.71 times 0.41 times 2"),
        ("loss ≥ 0.1, < 0.1 %, ± 3", "loss at least 0.1, less than 0.1 percent, plus or minus 3"),
        ("0.3 → 0.2", "0.3 to 0.2"),
        ("W ← W − step", "W becomes W minus step"),
        ("σ(0) ≈ 0.5, √2, Σ αₜ", "sigma (0) about 0.5, the square root of 2, the sum of alpha at step t"),
        ("10⁻³, h²", "10 to the power minus 3, h squared"),
        ("the mean of |h|", "the mean of the absolute value of h"),
        ("only `?`, so", "only question mark, so"),
        ("a state-of-the-art thing, 1/3", "a state-of-the-art thing, 1/3"),
        ("Ελένη, naïve, 雪", "Ελένη, naïve, 雪"),
        ("“quoted” … and – not", '"quoted"... and, not'),
    ],
)
def test_a_symbol_is_a_word(written: str, heard: str) -> None:
    assert spoken(written) == heard


def test_any_character_at_all_is_a_letter_a_digit_or_punctuation() -> None:
    """Also what no sentence of ours has: names in data may."""
    for code in [*range(0x20, 0x3000), *range(0x1F300, 0x1F700), 0xFE0F, 0x200D, 0xE000]:
        text = spoken(f"a {chr(code)} b")
        odd = [c for c in text if c not in PUNCTUATION and unicodedata.category(c)[0] not in "LNM"]
        assert not odd, (hex(code), text)
        assert "\x1b" not in text
