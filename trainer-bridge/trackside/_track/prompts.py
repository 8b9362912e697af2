"""The prompts of samples: a line each in sample_prompts.txt, counted from 0."""

from __future__ import annotations

import os

from trackside._attempt import regular


class Prompts:
    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, "sample_prompts.txt")
        self._lines: list[str] | None = None

    def number(self, prompt: str) -> int:
        """The place of a prompt; a new one is appended. Raises OSError."""
        line = " ".join(prompt.split()) or "(no prompt)"
        if line.startswith("#"):  # would read as a comment
            line = f"({line})"
        if self._lines is None:
            self._lines = []
            if os.path.exists(self._path):
                lines = map(str.strip, regular.read_text(self._path).splitlines())
                self._lines = [each for each in lines if each and not each.startswith("#")]
        if line not in self._lines:
            with open(self._path, "a", encoding="utf-8") as file:
                file.write(line + "\n")
            self._lines.append(line)
        return self._lines.index(line)
