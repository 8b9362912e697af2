"""`ui_state.json` and the names of sessions, as the sidecar writes them (sidecar/sessions/)."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
import unicodedata
from collections.abc import Callable
from typing import Any

from trackside._attempt import regular
from trackside._track.whole import write_whole

STATE_FILE = "ui_state.json"
# The sidecar's own lock between its processes (sidecar/sessions/record/lock.ts): a folder, held for milliseconds.
_LOCK = "ui_state.json.lock"
_PATIENCE_SECONDS = 3.0

Record = dict[str, Any]


def slug(name: str) -> str:
    """`My Cat!` → `my-cat`. Raises ValueError when nothing is left."""
    words = re.sub(r"[^\w]+", "-", unicodedata.normalize("NFKC", name).lower()).lstrip("-_")[:60]
    while len(words.encode("utf-8", "replace")) > 150:
        words = words[:-1]
    words = words.rstrip("-")
    if not words:
        raise ValueError(f"track({name!r}): use at least one letter or digit; the name becomes a folder.")
    return words


def versions(outputs: str, base: str) -> list[int]:
    """The versions of a name that have a folder, ascending: `cat` is 1, `cat-v3` is 3."""
    found = []
    with contextlib.suppress(OSError):
        for entry in os.listdir(outputs):
            if entry == base:
                found.append(1)
            elif (match := re.fullmatch(re.escape(base) + r"-v(\d{1,6})", entry)) and int(match[1]) > 0:
                found.append(int(match[1]))
    return sorted(found)


def version_folder(base: str, version: int) -> str:
    return base if version == 1 else f"{base}-v{version}"


def read(folder: str) -> Record | None:
    """The record; None without one, and for one that is no JSON object: it is then left alone."""
    try:
        record = regular.parse_json(regular.read_bytes(os.path.join(folder, STATE_FILE)).decode("utf-8-sig"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def edit(folder: str, change: Callable[[Record], None]) -> None:
    """Changes the record, as a person with jq would: a whole new file takes its place. Leaves a broken one alone.

    Raises OSError.
    """
    lock = os.path.join(folder, _LOCK)
    held = _take(lock)
    try:
        record = read(folder)
        if record is None:
            if os.path.lexists(os.path.join(folder, STATE_FILE)):
                return
            record = {}
        change(record)
        write_whole(folder, STATE_FILE, json.dumps(record, indent=2, ensure_ascii=False), durable=True)
    finally:
        if held:
            with contextlib.suppress(OSError):
                os.rmdir(lock)


def attempts(record: Record) -> list[Record]:
    found = record.get("attempts")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _take(lock: str) -> bool:
    """False after the longest wait: a killed sidecar may have left it, and a record matters more."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            os.mkdir(lock)
            return True
        except FileExistsError:
            time.sleep(0.02)
    return False
