"""How far apart two colours look: CIEDE2000 (Sharma, Wu and Dalal 2005), also to colour-blind eyes (Machado, Oliveira
and Fernandes 2009, severity 1, on linear RGB)."""

from __future__ import annotations

from math import atan2, cos, degrees, exp, hypot, radians, sin, sqrt

from rnnviz.tui.palette import rgb

Lab = tuple[float, float, float]

EYES = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def lab(color: str, eyes: str = "usual") -> Lab:
    """CIELAB (D65) of #rrggbb as these eyes see it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in rgb(color))]
    r, g, b = (min(1.0, max(0.0, sum(m * c for m, c in zip(row, linear, strict=True)))) for row in EYES[eyes])
    x = (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047
    y = 0.2126729 * r + 0.7151522 * g + 0.0721750 * b
    z = (0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def apart(one: str, other: str, eyes: str = "usual") -> float:
    return ciede2000(lab(one, eyes), lab(other, eyes))


def ciede2000(one: Lab, other: Lab) -> float:
    (L1, a1, b1), (L2, a2, b2) = one, other
    C7 = ((hypot(a1, b1) + hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * sqrt(C7 / (C7 + 25**7))
    a1, a2 = a1 * stretch, a2 * stretch
    C1, C2 = hypot(a1, b1), hypot(a2, b2)
    h1, h2 = degrees(atan2(b1, a1)) % 360, degrees(atan2(b2, a2)) % 360
    turn = 0.0 if C1 * C2 == 0 else (h2 - h1 + 180) % 360 - 180
    dL, dC, dH = L2 - L1, C2 - C1, 2 * sqrt(C1 * C2) * sin(radians(turn / 2))
    L, C = (L1 + L2) / 2, (C1 + C2) / 2
    H = h1 + h2 if C1 * C2 == 0 else (h1 + turn / 2) % 360
    T = (
        1 - 0.17 * cos(radians(H - 30)) + 0.24 * cos(radians(2 * H)) + 0.32 * cos(radians(3 * H + 6))
        - 0.20 * cos(radians(4 * H - 63))
    )  # fmt: skip
    sL = 1 + 0.015 * (L - 50) ** 2 / sqrt(20 + (L - 50) ** 2)
    sC, sH = 1 + 0.045 * C, 1 + 0.015 * C * T
    rotation = -sin(radians(60 * exp(-(((H - 275) / 25) ** 2)))) * 2 * sqrt(C**7 / (C**7 + 25**7))
    return sqrt((dL / sL) ** 2 + (dC / sC) ** 2 + (dH / sH) ** 2 + rotation * dC / sC * dH / sH)
