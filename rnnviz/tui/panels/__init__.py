"""The panels, which open under the score, or beside it if there is room.

A panel is a pure drawing of the frame, the actions it defines while it is open, and a reason when it has nothing to
show. To add one: write `panels/NAME.py` with a Panel, and add it to ALL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.errors import InputError, short_repr
from rnnviz.tui.panels.attention import PANEL as ATTENTION
from rnnviz.tui.panels.base import Panel as Panel
from rnnviz.tui.panels.base import why_not as why_not
from rnnviz.tui.panels.code import PANEL as CODE
from rnnviz.tui.panels.compare import COMPARE
from rnnviz.tui.panels.diagnosis import PANEL as DIAGNOSIS
from rnnviz.tui.panels.eigenvalues import PANEL as EIGENVALUES
from rnnviz.tui.panels.knobs import KNOBS_PANEL
from rnnviz.tui.panels.ledger import PANEL as LEDGER
from rnnviz.tui.panels.map import PANEL as MAP
from rnnviz.tui.panels.network import NETWORK, SUMMARY
from rnnviz.tui.panels.neuron import PANEL as NEURON
from rnnviz.tui.panels.perturbed import PANEL as PERTURBED
from rnnviz.tui.panels.plots import FIT, LOSS, SELF_FED
from rnnviz.tui.panels.space import PANEL as SPACE
from rnnviz.tui.panels.travel import TRAVEL
from rnnviz.tui.panels.triangle import PANEL as TRIANGLE
from rnnviz.tui.panels.weights import PANEL as WEIGHTS
from rnnviz.tui.panels.words import WORDS

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.tui.view import View

ALL: tuple[Panel, ...] = (
    FIT, SELF_FED, WORDS, LOSS, TRAVEL, NEURON, LEDGER, TRIANGLE, EIGENVALUES, SPACE, PERTURBED, ATTENTION, COMPARE,
    KNOBS_PANEL, NETWORK, SUMMARY, CODE, DIAGNOSIS, WEIGHTS, MAP,
)  # fmt: skip
BY_ID = {panel.id: panel for panel in ALL}
BY_KEY = {panel.key: panel.id for panel in ALL if panel.key}
BESIDE = (FIT, SELF_FED, WORDS, LOSS)  # beside the score on a wide screen while no other is open, if they have anything
OF_TRAINED = (FIT, SELF_FED)  # of an untrained network they are noise


def unknown(name: str) -> InputError:
    return InputError(f"panel: {short_repr(name)} is unknown; choose from {', '.join(BY_ID)}")


def following(panel: str | None, by: int, frame: Frame | None, view: View) -> str | None:
    """The next panel on tab that has something to show and has been introduced; None (no panel) is in the cycle."""
    known = [p for p in ALL if view.knows(p.id) and (frame is None or why_not(p, frame) is None)]
    ring = [None, *(p.id for p in ALL if p.id == panel or p in known)]
    return ring[(ring.index(panel) + by) % len(ring)]
