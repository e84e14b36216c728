"""The rules, in the order of a report: what stops a training first; docs/diagnosis.md lists them with their "
"thresholds."""

from rnnviz.diagnosis.finding import Rule
from rnnviz.diagnosis.rules import gates, gradients, loss, not_finite, units, updates

RULES: tuple[Rule, ...] = (*not_finite.RULES, *gradients.RULES, *gates.RULES, *units.RULES, *updates.RULES, *loss.RULES)
