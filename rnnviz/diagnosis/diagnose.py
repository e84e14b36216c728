"""Apply the rules to the evidence.

>>> for finding in diagnose(evidence).findings:
...     print(finding.what)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnnviz.diagnosis.evidence import Evidence
from rnnviz.diagnosis.finding import Finding, Rule
from rnnviz.diagnosis.rules import RULES


@dataclass(frozen=True)
class Diagnosis:
    """findings   in the order of the rules
    not_judged  rule -> the reason why the evidence does not suffice for it
    """

    evidence: Evidence
    findings: tuple[Finding, ...]
    not_judged: dict[str, str]


def diagnose(evidence: Evidence, rules: tuple[Rule, ...] = RULES) -> Diagnosis:
    """Every rule once. The same evidence always gives the same findings."""
    findings, not_judged = [], {}
    for rule in rules:
        with np.errstate(all="ignore"):
            missing = rule.missing(evidence)
            found = None if missing else rule.find(evidence)
        if missing:
            not_judged[rule.slug] = missing
        elif found is not None:
            findings.append(replace(found, rule=rule.slug, lesson=found.lesson or rule.lesson))
    return Diagnosis(evidence, tuple(findings), not_judged)
