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
rnnviz diagnose runs/lstm                      # a recording of your own training
rnnviz diagnose --task recall --lag 60         # an experiment: train it, then report
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

For a recording five of its records are traced, the last one with up to 8 of its sequences, each level and direction
as a layer of its own. The losses are those of the records. A recording has no targets and does not know which input
an answer depends on, so the rules that need these are not judged. Where the inputs repeat, the report gives the lag
of that by their autocorrelation; no rule uses it, since an answer need not depend on a repetition. Clipping, what
a gradient held of earlier steps and the size of the updates are as recorded (`clip_factor`, `left_over`,
`update_ratio: LAYER`); without that, the weights of two records give a lower bound of the updates between them. The
first nan or inf is looked for in the records around the first loss that is not finite, and up to the last record. If
the weight gradients of the last record were not compared with the framework's, or differ from them, the report begins
with that.

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
