"""The contract with the sidecar: `contract.json`, which sidecar/bridge.ts reads too.

Seconds, exit codes, file names in an output folder, the environment variable that marks a trainer's processes, the fields
of a request to stop, and those of `attempt.json`, with their types (`?`: null as well; a list: one of these).
"""

from __future__ import annotations

import json
import os

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "contract.json"), encoding="utf-8") as _file:
    _contract = json.load(_file)

SECONDS: dict[str, float] = _contract["seconds"]
EXIT_CODES: dict[str, int] = _contract["exit_codes"]
FILES: dict[str, str] = _contract["files"]
LARGEST_NUMBER: int = _contract["largest_number"]
MARK: str = _contract["mark"]
SESSION: str = _contract["session"]
RESUME: str = _contract["resume"]
# Why a state is gone on with plainly, in words: what Trackside has found and told before the resume.
PLAINLY: str = _contract["plainly"]
ATTEMPT: dict[str, str | list[str | None]] = _contract["attempt"]
