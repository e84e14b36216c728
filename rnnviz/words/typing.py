"""What a person can type for this network to read, in a line.

>>> how(frame)
"Type numbers, one a step; 7 = 0.5 moves one. Enter reads, esc leaves."
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.glyphs import cut, visible

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame

SAVE = "Name a file: .safetensors or .npz, or .toml for the settings. Enter saves, esc leaves."
ENDS = "Enter reads, esc leaves."


def how(frame: Frame) -> str:
    task, step = frame.scene.task, max(1, min(frame.cursor.t, frame.T))
    if task.vocab:
        symbol = visible(task.vocab[0] if task.vocab[0].strip() else task.vocab[-1])
        answer = f", = {cut(task.labels[0], 10)} if known" if task.labels and task.labels != task.vocab else ""
        return f"Type symbols{answer}; {step} = {symbol} changes one. {ENDS}"
    if not task.has_targets and task.tokens(frame.scene.sample)[0].isdigit():
        return f"Type rows of the embedding, such as 3 17 5. {ENDS}"
    if task.input_size > 1:
        return f"Type steps: 1 2; 3 4, or {step}[0] = 0.5 moves one. {ENDS}"
    return f"Type numbers, one a step; {step} = 0.5 moves one. {ENDS}"
