"""How long this training may need from a request to stop to its end: its runner waits that long before it kills."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from trackside._track import owner

LEAST = 15.0
BYTES_A_SECOND = 10e6
CHANGE = 1.25


class Grace:
    """Says it in the session's folder, from where the runner reads it. Without a runner it says nothing."""

    def __init__(self, folder: str | None, attempt: str | None) -> None:
        self._folder, self._attempt = folder, attempt
        self._longest_step = 0.0
        self._save = 0.0
        self._said = 0.0

    def step(self, seconds: float) -> None:
        if seconds > self._longest_step:
            self._longest_step = seconds
            self.say()

    def expect(self, weights: Iterable[Any]) -> None:
        """A state will hold these, and two moments of each, as AdamW keeps them."""
        size = 3 * sum(each.numel() * each.element_size() for each in weights)
        self._save = max(self._save, size / BYTES_A_SECOND)
        self.say()

    def saved(self, seconds: float) -> None:
        self._save = max(self._save, 3 * seconds)
        self.say()

    def say(self) -> None:
        seconds = LEAST + 3 * self._longest_step + self._save
        if self._folder is None or self._attempt is None or seconds < CHANGE * self._said:
            return
        try:
            owner.write_tracked(self._folder, self._attempt, round(seconds, 1), os.getpid())
            self._said = seconds
        except OSError:
            pass  # a full disk: what was said before holds
