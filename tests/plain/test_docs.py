"""docs/read.md: its transcript is what rnnviz says, and its words are words."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from rnnviz.plain.words import understood

TEXT = (Path(__file__).parents[2] / "docs" / "read.md").read_text(encoding="utf-8")


def test_the_transcript_is_what_it_says() -> None:
    (command, heard) = re.search(r"```console\n\$ printf '(.*?)' \| rnnviz (?:.*?)\n(.*?)```", TEXT, re.DOTALL).groups()  # type: ignore[union-attr]
    lines = command.replace("\\n", "\n")
    arguments = re.search(r"\| rnnviz (.*)\n", TEXT)[1].split()  # type: ignore[index]
    done = subprocess.run(
        [sys.executable, "-m", "rnnviz", *arguments], input=lines, capture_output=True, text=True, check=True
    )
    assert done.stdout == heard


def test_every_word_in_it_is_one() -> None:
    listed = TEXT.partition("## What you can type")[2].partition("Symbols are")[0]
    words = [word for word in re.findall(r"`([^`]+)`", listed) if word != "7"]
    assert [word for word in words if understood(word) is None] == []
