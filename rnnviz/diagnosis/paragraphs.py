"""The diagnosis of a frame in paragraphs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rnnviz.diagnosis import of_scene, report

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame


def paragraphs(frame: Frame) -> list[tuple[str, str]]:
    """(text, kind) with the kinds "head", "text", "cause" and "note"; [] while it is not known."""
    diagnosis = of_scene.of_frame(frame)
    if diagnosis is None:
        return []
    out: list[tuple[str, str]] = []
    for number, found in enumerate(diagnosis.findings, start=1):
        out.append((f"{number}. {report.titles(found)}", "head"))
        out.append((found.what, "text"))
        out.append((f"Likely cause: {found.cause}", "cause"))
        knobs = _knobs(found.remedy.settings) if frame.experiment else ""
        out.append((f"To try: {found.remedy.about}{knobs}", "text"))
        if frame.experiment is None and found.remedy.pytorch:
            out.append((f"PyTorch: {found.remedy.pytorch}", "text"))
        out.append((f"Explained by the lesson {found.lesson}.", "cause"))
    if not diagnosis.findings:
        out.append(("No findings for this sequence and these weights.", "head"))
    more = "rnnviz diagnose reads several of them, and measures updates, clipping and the first nan or inf over a whole"
    out.append((f"Read from this sequence. {more} training.", "note"))
    return out


def _knobs(settings: Mapping[str, Any]) -> str:
    from rnnviz.experiment.experiment import SETTINGS

    values = (
        f"{SETTINGS[name].label} {value:g}" if isinstance(value, float) else f"{SETTINGS[name].label} {value}"
        for name, value in settings.items()
    )
    return f" Knobs: {', '.join(values)}." if settings else ""
