"""State folders of a pause: under a dot name while they are made, on the disk before they get their own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Callable

from trackside._exact.document import NAME, Document
from trackside._exact.tell import tell
from trackside._track.whole import write_whole

MAKING = ".making"
REPLACED = ".replaced"


def make(path: str, save: Callable[[str], object], document: Callable[[], Document]) -> int:
    """Makes the folder `path`: `save` writes accelerate's files into the folder that it is given. Returns its bytes.
    A folder of that name is replaced. Raises what `save` raises, and OSError: nothing is left behind then."""
    parent, name = os.path.split(path)
    making = os.path.join(parent, f".{name}{MAKING}")
    shutil.rmtree(making, ignore_errors=True)
    try:
        save(making)
        write(making, document())
        size = settle(making)
        _put(making, path)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    return size


def clear(parent: str, output_name: str) -> None:
    """Removes what pauses left that were killed: nobody else would find it. A state that was to be replaced, and was
    not yet, is put back."""
    left = re.compile(rf"\.({re.escape(output_name)}-step\d+-state)({re.escape(MAKING)}|{re.escape(REPLACED)})")
    with contextlib.suppress(OSError):  # a folder that can't be listed: it stays there until the next start
        for found in filter(None, map(left.fullmatch, os.listdir(parent))):
            path = os.path.join(parent, found[0])
            if found[2] == REPLACED and not os.path.lexists(os.path.join(parent, found[1])):
                os.rename(path, os.path.join(parent, found[1]))
            else:
                shutil.rmtree(path, ignore_errors=True)


def write(folder: str, document: Document) -> None:
    """Puts the document into a state folder, whole or not at all. Raises OSError."""
    write_whole(folder, NAME, json.dumps(document), durable=True)


def remove_superseded(before: str | None, given: Document | None, newer: str) -> bool:
    """Removes `before`, the state that this process went on from, once `newer` is on the disk, if a pause made it. Raises
    OSError."""
    if before is None or given is None or given.get("made_for") != "pause":
        return False
    old, new = os.path.realpath(before), os.path.realpath(newer)
    if old == new or not old.startswith(os.path.dirname(new) + os.sep):
        return False
    settle(newer)
    shutil.rmtree(before, ignore_errors=True)
    tell(f"removed {os.path.basename(before)}: a newer state can be gone on with exactly")
    return True


def settle(folder: str) -> int:
    """Waits until all of a folder is on the disk; returns its bytes. Raises OSError."""
    size = 0
    for name in os.listdir(folder):
        size += os.path.getsize(os.path.join(folder, name))
        _sync(os.open(os.path.join(folder, name), os.O_WRONLY | os.O_NONBLOCK))
    _sync(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))
    return size


def _put(making: str, path: str) -> None:
    parent, name = os.path.split(path)
    replaced = os.path.join(parent, f".{name}{REPLACED}")
    shutil.rmtree(replaced, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        os.rename(path, replaced)
    os.rename(making, path)
    _sync(os.open(parent, os.O_RDONLY | os.O_DIRECTORY))
    shutil.rmtree(replaced, ignore_errors=True)


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
