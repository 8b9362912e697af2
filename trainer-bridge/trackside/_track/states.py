"""State folders: written hidden, with a manifest of sizes and hashes last, then renamed: what has a name is whole."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
from typing import Any, NamedTuple

from trackside._attempt import contract, regular

MANIFEST = contract.FILES["manifest"]
_NAME = re.compile(r"step-(\d{8,})-state$")
_BLOCK = 4 << 20


class State(NamedTuple):
    """A whole state: `step` is the last one that was trained before it was saved."""

    path: str
    step: int
    epoch: float | None


def name_of(step: int) -> str:
    return f"step-{step:08d}-state"


def newest(folder: str) -> State | None:
    """The newest whole state of an output folder, read to its last byte; None without one."""
    for name in sorted(_states(folder), reverse=True):
        path = os.path.join(folder, name)
        manifest = _manifest(path)
        if manifest is not None and _is_whole(path, manifest):
            return State(path, int(manifest["step"]), manifest.get("epoch"))
    return None


def read(path: str) -> State | None:
    """The state at a path that was handed over; None if it has no manifest."""
    manifest = _manifest(path)
    return State(path, int(manifest["step"]), manifest.get("epoch")) if manifest else None


def begin(folder: str, step: int) -> str:
    """A new hidden folder to save into. Raises OSError."""
    path = os.path.join(folder, f".{name_of(step)}.{os.urandom(4).hex()}.tmp")
    os.mkdir(path)
    return path


def finish(hidden: str, step: int, epoch: float | None) -> str:
    """Writes the manifest, syncs all of it, and gives the folder its name, which is returned. Raises OSError."""
    files = []
    for path in _files(hidden):
        files.append(
            {"name": os.path.relpath(path, hidden), "bytes": os.path.getsize(path), "sha256": _digest(path, True)}
        )
    manifest = {"step": step, "epoch": epoch, "files": files}
    with open(os.path.join(hidden, MANIFEST), "w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    for folder, _, _ in os.walk(hidden, topdown=False):
        _sync(folder)
    parent = os.path.dirname(hidden)
    final = os.path.join(parent, name_of(step))
    if os.path.lexists(final):  # the same step once more, after a resume from before it
        aside = f"{hidden}.old"
        os.rename(final, aside)
        os.rename(hidden, final)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        os.rename(hidden, final)
    _sync(parent)
    return final


def keep_last(folder: str, count: int, in_use: str | None) -> None:
    """Removes all but the last `count` states, and never the one that this run began from. Hides each before it is
    deleted: half a state has no name. Never raises."""
    for name in sorted(_states(folder))[:-count]:
        path = os.path.join(folder, name)
        if path == in_use:
            continue
        with contextlib.suppress(OSError):
            hidden = os.path.join(folder, f".{name}.{os.urandom(4).hex()}.old")
            os.rename(path, hidden)
            shutil.rmtree(hidden, ignore_errors=True)


def remove_unfinished(folder: str) -> None:
    """Removes what a killed process left of a save. Only for the holder of the folder. Never raises."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if name.startswith(".step-") and name.endswith((".tmp", ".old")):
                shutil.rmtree(os.path.join(folder, name), ignore_errors=True)


def _states(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if _NAME.fullmatch(name)]
    except OSError:
        return []


def _manifest(path: str) -> dict[str, Any] | None:
    try:
        manifest: Any = regular.parse_json(regular.read_text(os.path.join(path, MANIFEST)))
        return manifest if isinstance(manifest["step"], int) and isinstance(manifest["files"], list) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_whole(path: str, manifest: dict[str, Any]) -> bool:
    try:
        return all(
            os.path.getsize(os.path.join(path, file["name"])) == file["bytes"]
            and _digest(os.path.join(path, file["name"]), False) == file["sha256"]
            for file in manifest["files"]
        )
    except (OSError, KeyError, TypeError):
        return False


def _files(folder: str) -> list[str]:
    return sorted(
        os.path.join(place, name) for place, _, names in os.walk(folder) for name in names if name != MANIFEST
    )


def _digest(path: str, sync: bool) -> str:
    digest = hashlib.sha256()
    with regular.open_file(path, sys.maxsize) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
        if sync:
            os.fsync(file.fileno())
    return digest.hexdigest()


def _sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
