"""`progress.json` for jq while no sidecar follows the training: its words are the sidecar's (telemetry/progress.ts)."""

from __future__ import annotations

import json
import math
import os
import time
from typing import Any

from trackside._attempt import record as attempt_file
from trackside._track.whole import write_whole

_FILE = "progress.json"
# A sidecar that follows writes at least this often while steps come.
_QUIET_SECONDS = 10.0


class ProgressFile:
    """Leaves the file alone while somebody else writes it."""

    def __init__(self, folder: str, attempt: str) -> None:
        self.folder, self.attempt = folder, attempt
        # What an earlier attempt left is nobody's.
        self._ours = self._inode()
        self._theirs: tuple[int, int] | None = None
        self._since = 0.0
        self._rate: tuple[int, float] | None = None

    def write(
        self, phase: str, step: int | None, total: int | None, epoch: float | None, epochs: int | None, loss: Any
    ) -> None:
        """Raises OSError."""
        seconds = self._seconds_per_step(step)
        if step is None or self._is_followed():
            return
        loss = loss if isinstance(loss, (int, float)) and math.isfinite(loss) else None
        eta = max(0, total - step) * seconds if total is not None and seconds is not None else None
        percent = min(100.0, round(100 * step / total, 1)) if total else None
        content = {
            **{"phase": phase, "step": step, "total_steps": total, "epoch": epoch, "epochs": epochs},
            **{"percent": percent, "loss": loss, "seconds_per_step": seconds, "eta_seconds": eta},
            **{"updated_at": attempt_file.now(), "attempt": self.attempt, "loss_curve": [], "still": None},
        }
        write_whole(self.folder, _FILE, json.dumps(content, indent=1))
        self._ours = self._inode()

    def _inode(self) -> int | None:
        try:
            return os.stat(os.path.join(self.folder, _FILE)).st_ino
        except OSError:
            return None

    def _is_followed(self) -> bool:
        try:
            stats = os.stat(os.path.join(self.folder, _FILE))
        except OSError:
            return False
        if stats.st_ino == self._ours:
            return False
        seen, now = (stats.st_ino, stats.st_mtime_ns), time.monotonic()
        if seen != self._theirs:
            self._theirs, self._since = seen, now
        return now - self._since < _QUIET_SECONDS

    def _seconds_per_step(self, step: int | None) -> float | None:
        now = time.monotonic()
        if step is None:
            return None
        if self._rate is None or step < self._rate[0]:
            self._rate = (step, now)
        first, at = self._rate
        return (now - at) / (step - first) if step > first else None
