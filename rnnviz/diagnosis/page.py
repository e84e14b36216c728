"""docs/diagnosis.md, from the rules: python -m rnnviz.diagnosis.page > docs/diagnosis.md"""

from __future__ import annotations

from textwrap import wrap

from rnnviz.diagnosis.rules import RULES

_HEAD = """\
# Diagnosis

`rnnviz diagnose` reports what is measured to be wrong with a training. Each finding has its figures, a likely cause,
one thing to try, and the lesson that explains it. It measures, and forecasts nothing: a network without findings need
not learn, and one with findings may. A rule that lacks evidence is listed as not judged, with the reason.

```sh
rnnviz diagnose --task recall --lag 60         # train it, then report
rnnviz diagnose experiment.toml --json         # one object: measured, findings, not_judged
rnnviz diagnose experiment.toml --strict       # exit code 3 if there is a finding
```

| exit code | meaning |
|---|---|
| 0 | it ran, with or without findings |
| 2 | a wrong flag, file or setting |
| 3 | with `--strict`: there is a finding |

For an experiment the training runs once. Up to 8 of its training sequences are traced at five moments, from the
untrained network to the last epoch, and up to 40 updates, evenly spaced, are measured. The findings are about the last
moment whose states are finite. `evidence` in `--json` has the figures of each finding.

## The rules

A threshold and its reason are part of each rule in `rnnviz/diagnosis/rules/`; this page is generated from them.
"""


def page() -> str:
    """The text of docs/diagnosis.md."""
    parts = [_HEAD]
    for rule in RULES:
        parts.append(f"### `{rule.slug}`: {rule.title}\n")
        for title, text in (("Threshold", rule.threshold), ("Why", rule.reason)):
            parts.append("\n".join(wrap(f"{title}: {text}", 118, break_on_hyphens=False)) + "\n")
        parts.append(f"Lesson: `rnnviz lesson {rule.lesson}`\n")
    return "\n".join(parts)


if __name__ == "__main__":
    print(page(), end="")
