"""Finding and Rule: what was found, and how it is looked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rnnviz.diagnosis.evidence import Evidence


@dataclass(frozen=True)
class Remedy:
    """One thing to try.

    about     a whole sentence
    settings  of an Experiment: {"clip_norm": 1.0}; {} if no setting does it
    pytorch   the line in PyTorch; keras: in Keras
    """

    about: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    pytorch: str = ""
    keras: str = ""


@dataclass(frozen=True)
class Finding:
    """what  one whole sentence with the figures
    evidence  the same figures by name, for JSON
    cause     a likely cause, in a whole sentence
    layer     the layer's name; "" if it is about the whole training
    """

    what: str
    evidence: Mapping[str, Any]
    cause: str
    remedy: Remedy
    layer: str = ""
    rule: str = ""
    lesson: str = ""


@dataclass(frozen=True)
class Rule:
    """One thing to look for.

    slug       its name in JSON; `title` for a person
    threshold  when it reports a finding, in a whole sentence with the numbers
    reason     why this threshold
    lesson     the slug of the lesson that explains it
    find       the evidence -> a Finding, or None
    missing    the evidence -> the reason why the rule cannot be judged, as a clause; "" if it can
    """

    slug: str
    title: str
    threshold: str
    reason: str
    lesson: str
    find: Callable[[Evidence], Finding | None]
    missing: Callable[[Evidence], str] = field(default=lambda evidence: "")
