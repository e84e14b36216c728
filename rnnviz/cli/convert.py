"""`rnnviz convert IN OUT`: a file of weights for another framework, and how it differs."""

from __future__ import annotations

from rnnviz.cli.command import Options
from rnnviz.cli.output import Output, paragraph, print_json
from rnnviz.glyphs import visible
from rnnviz.weights.convert import convert, format_of


def run(options: Options) -> int:
    given, new = options["file"], options["new"]
    done = convert(given, new, options["layer"], options["readout"], options["activation"])
    if options["json"]:
        print_json(
            {
                "from": given,
                "to": new,
                "format": format_of(new),
                "layers": done.layers,
                "others": done.others,
                "notes": done.notes,
                "difference": done.difference,
                "exact": done.is_exact,
            }
        )
        return 0
    same = "every number is the same" if done.is_exact else "the numbers differ as written below"
    lines = [
        f"{new}: {format_of(new)}; {', '.join((*done.layers, *done.others))}",
        f"read again and compared: {same}; the states for random input differ by {done.difference:.1g} at most",
        *done.notes,
    ]
    out = Output()
    for line in lines:
        for part in paragraph(visible(line), out.width):
            out.print(part)
    return 0
