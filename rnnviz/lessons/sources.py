"""A lesson's sources: a name, and after it, if there is one, the address of the text.

>>> name_and_address("Elman 1990: Finding structure in time https://doi.org/10.1207/s15516709cog1402_1")
('Elman 1990: Finding structure in time', 'https://doi.org/10.1207/s15516709cog1402_1')
"""

from __future__ import annotations

from rnnviz.glyphs import is_link


def name_and_address(source: str) -> tuple[str, str]:
    """The name, and the address if the last word is one; "" if not: what else it may be stays text."""
    name, _, last = source.rpartition(" ")
    return (name.rstrip(), last) if name.strip() and is_link(last) else (source, "")
