"""Weights that a training has written: their names, steps and epochs, for the page."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from typing import Any

from trackside._attempt import contract, regular
from trackside._track.session import STATE_FILE
from trackside._track.warn import warn_once
from trackside._track.whole import write_whole
from trackside._track.writer import Writer

INDEX = "checkpoints.json"
# What a file that is offered must not take the place of.
OURS = {INDEX, "summary.json", "progress.json", "provenance.json", STATE_FILE, *contract.FILES.values()}


class Checkpoints:
    def __init__(self, writer: Writer) -> None:
        self.writer = writer

    def add(self, path: str, step: int | None, epoch: float | None) -> None:
        """Never raises."""
        folder = self.writer.folder
        if not self.writer.leads or folder is None:
            return
        try:
            name = os.path.basename(path)
            if not os.path.isfile(path):
                raise FileNotFoundError(path)
            if name.startswith(".") or name in OURS:
                raise ValueError(f"{name} is the name of one of the session's own files; give the weights another one")
            if os.path.realpath(os.path.dirname(path)) != os.path.realpath(folder):
                _offer(path, os.path.join(folder, name))
            index = [each for each in _read(folder) if each.get("name") != name]
            index.append({"name": name, "step": step, "epoch": epoch})
            write_whole(folder, INDEX, json.dumps(index, indent=1, ensure_ascii=False))
            self.writer.event("checkpoint", step=step, file=name)
        except Exception as error:
            warn_once(f"the checkpoint {path} could not be offered on the page", error)


def _offer(path: str, place: str) -> None:
    """A second name for the file; in a step, so that a reader never finds half of a copy."""
    hidden = os.path.join(os.path.dirname(place), f".{os.path.basename(place)}.{os.urandom(4).hex()}.tmp")
    try:
        try:
            os.link(path, hidden)
        except OSError:
            shutil.copy2(path, hidden)
        os.replace(hidden, place)
        # Two names of one file: the rename does nothing, and leaves the hidden one.
    finally:
        with contextlib.suppress(OSError):
            os.unlink(hidden)


def _read(folder: str) -> list[dict[str, Any]]:
    try:
        index = regular.parse_json(regular.read_text(os.path.join(folder, INDEX)))
    except (OSError, ValueError):
        return []
    return [each for each in index if isinstance(each, dict)] if isinstance(index, list) else []
