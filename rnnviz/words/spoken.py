"""Spoken: a sentence with its symbols written out, for a synthetic voice and for readers who do not know them.

    >>> spoken("‖∂L₄₀/∂h₇‖ is 3.9e-04, × 0.64 this step.")
    'the norm of the gradient of the loss of step 40 with respect to h at step 7 is 3.9 times ten to the minus 4,
    times 0.64 this step.'

What is left has letters, digits and the punctuation of prose alone: a screen reader says a minus, an equals sign or
a subscript only at some of its settings, and wrongly at others.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

#: The punctuation that remains.
PUNCTUATION = ".,:;!?'\"()-/ "

_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉ₜₖ₊₋", "0123456789tk+-")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SUB, _SUP = "₀₁₂₃₄₅₆₇₈₉ₜₖ₊₋", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻"
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "Δ": "delta ", "ε": "epsilon", "η": "eta", "θ": "theta",
    "λ": "lambda", "μ": "mu", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "ω": "omega",
}  # fmt: skip
_SIGNS = {
    "×": " times ", "·": " times ", "⊙": " elementwise times ", "÷": " divided by ", "*": " times ", "=": " equals ",
    "≠": " is not ", "≥": " at least ", "≤": " at most ", ">": " more than ", "<": " less than ", "≈": " about ",
    "±": " plus or minus ", "→": " to ", "←": " becomes ", "√": " the square root of ", "Σ": " the sum of ",
    "∞": " infinity ", "ᵀ": " transposed", "∇": " the gradient of ", "∅": " an underflow ", "ø": " the mean ",
    "−": " minus ", "+": " plus ", "^": " to the power ", "%": " percent", "_": " ", "~": " about ", "&": " and ",
    "…": "...", "“": '"', "”": '"', "‘": "'", "’": "'", "[": " ", "]": " ", "{": " (", "}": ") ", "|": " ",
    "‖": " ", "✓": " ", "✗": " ", "▸": " ", "▏": " ", "●": " ", "○": " ", "↵": " new line ", "#": " number ",
    "@": " at ", "␣": "a space", "²": " squared", "³": " cubed", "ŷ": "y hat", "≡": " equals ", "\u2011": "-",
    "\u2010": "-", "∎": "the end sign", "▣": "the picture sign", "▫": "padding",
    "$": " dollar ", "°": " degrees", "\\": " backslash ", "`": "", "↑": " up ", "↓": " down ", "•": ", ",
}  # fmt: skip
_STEP = f"[{_SUB}]+"
_NAME = r"[A-Za-zŷα-ωΔ]"


def _at(subscript: str) -> str:
    """` at step 7`, ` at step t minus 1`; "" for no subscript."""
    text = subscript.translate(_LOWERED).replace("-", " minus ").replace("+", " plus ")
    return f" at step {text}" if text else ""


def _whose(subscript: str) -> str:
    return _at(subscript).replace(" at ", " of ", 1)


def _derivative(found: re.Match[str]) -> str:
    """∂L₄₀/∂h₇, with the bars of its norm or without them."""
    bar, of, k, by, t, unit = (found[name] or "" for name in ("bar", "of", "k", "by", "t", "unit"))
    what = f"the gradient of the loss{_whose(k)}" if of == "L" else f"the derivative of {of}{_at(k)}"
    norm = "the norm of " if bar else ""
    return f"{norm}{what} with respect to {by}{_unit(unit)}{_at(t)}"


def _unit(brackets: str) -> str:
    return f" of unit {brackets[1:-1]}" if brackets[1:-1].isdecimal() else f" {brackets[1:-1]}" if brackets else ""


_DERIVATIVE = re.compile(
    rf"(?P<bar>‖)?∂(?P<of>{_NAME})(?P<k>[{_SUB}]*|_[A-Z])/∂(?P<by>{_NAME}(?:_[a-z]+)?)"
    rf"(?P<t>[{_SUB}]*)(?P<unit>\[[^\]]*\])?(?(bar)‖)"
)


def _power(found: re.Match[str]) -> str:
    """3.9e-04, 1e+09, 10^-3"""
    size, power = found[1].replace(",", ""), int(found[2])
    if -3 <= power <= 2:  # the same digits, with the point moved
        whole, _, rest = size.partition(".")
        digits = whole + rest
        at = len(whole) + power
        padded = "0" * max(0, 1 - at) + digits + "0" * max(0, at - len(digits))
        at = max(1, at)
        return padded[:at] + ("." if padded[at:] else "") + padded[at:]
    ten = f"ten to the {'minus ' if power < 0 else ''}{abs(power)}"
    return ten if size == "1" else f"{size} times {ten}"


def _raised(found: re.Match[str]) -> str:
    text = found[0].translate(_RAISED)
    return {"2": " squared", "3": " cubed"}.get(text, f" to the power {text.replace('-', 'minus ')}")


def _weights(found: re.Match[str]) -> str:
    """W_hh as letters, since a voice would make a word of them."""
    return f"{found[1]} {' '.join(found[2])}" if len(found[2]) == 2 else f"{found[1]} {found[2]}"


_Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]
#: In this order: what has a form of its own comes before the signs that it is made of.
_RULES: tuple[_Rule, ...] = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        (r"(?<=\w)ᵀ", " transposed "),
        (_DERIVATIVE.pattern, _derivative),
        (rf"∂/∂({_NAME})({_STEP})?", lambda m: f"the gradient with respect to {m[1]}{_at(m[2] or '')}"),
        (r"∂L\b", "the gradient of the loss"),
        (rf"∂({_NAME})(\[[^\]]*\])?", lambda m: f"the gradient on {m[1]}{_unit(m[2] or '')}"),
        (rf"\bL({_STEP})", lambda m: f"the loss{_whose(m[1])}"),
        (rf"‖({_NAME})({_STEP})‖", lambda m: f"the norm of {m[1]}{_at(m[2])}"),
        (r"‖([^‖]+)‖", lambda m: f"the norm of {m[1]}"),
        (r"\|([a-z]{3,})\|", r"absolute \1"),
        (r"\|([^|\s]{1,12})\|", lambda m: f"the absolute value of {m[1]}"),
        (r"([xŷ])(\[\d+\])", r"\1 number \2"),
        (rf"({_NAME})(\[\d+\])", lambda m: f"{m[1]} of unit {m[2][1:-1]}"),
        (rf"({_NAME})({_STEP})", lambda m: f"{m[1]}{_at(m[2])}"),
        (rf"({_STEP})", lambda m: _at(m[1])),
        (r"\b(h|tanh|φ)'(?!\w)", r"\1 prime"),
        (r"\b([A-Wa-z])_([a-z]{2,4})\b", _weights),
        (r"\b([A-Za-z])_([A-Z])\b", r"\1 at step \2"),
        (r"(?:(?<!\S)|(?<=\s[\"(`]))\?(?=[\s.,;\")`]|$)", "question mark"),
        (r"\b10\^", "ten to the power "),
        (r"(?<![\w.])(\d[\d,]*(?:\.\d+)?)e([+-]?\d+)\b", _power),
        (rf"(?<=[\w)])[{_SUP}]+", _raised),
        (r"(?<![\w.)\]])[-−]\.?(?=\d|inf\b|nan\b)", "minus "),
        (r"(?<![\w)\]])\+(?=\.?\d|inf\b)", ""),
        (r"(?<=\d)–(?=\d)", " to "),
        (r"(?<= )[–—](?= )", ","),
        (r"(?<!\w)[–—](?!\w)", "not known"),
        (r" - ", " minus "),
        (r"\binf\b", "infinity"),
        (r"\bnan\b", "not a number"),
        (r" %", " percent"),
        (r"(?<![^\W\d_])[α-ωΔ](?![^\W\d_])", lambda m: f" {_GREEK.get(m[0], m[0])} "),
    )
)  # fmt: skip


def spoken(text: str) -> str:
    """The text with every symbol in words, on one line."""
    text = unicodedata.normalize("NFC", text)
    for pattern, by in _RULES:
        text = pattern.sub(by, text)
    text = "".join(map(_sign, text))
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"(?<=[.!?] )the (?=norm|gradient|loss)", "The ", text)
    text = re.sub(r" ([.,:;!?)])(?!\w)", r"\1", text).replace("( ", "(")
    return re.sub(r"[.,;:]+([.:;?!])", r"\1", text).replace(":.", ".").strip() if ".." not in text else text.strip()


def _sign(char: str) -> str:
    if char.isascii() and (char.isalnum() or char in PUNCTUATION):
        return char
    if char in _SIGNS:
        return _SIGNS[char]
    category = unicodedata.category(char)
    if category[0] in "LN":
        return char
    if category[0] in "MZC":
        return " " if category[0] != "M" else char
    return f" {unicodedata.name(char, 'a sign').lower()} "
