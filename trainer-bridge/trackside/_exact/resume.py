"""The flags of sd-scripts by which a training is resumed, in a command line."""

from __future__ import annotations

import os

_BEGINNING = ("--initial_epoch", "--initial_step")


def resumed_from(arguments: list[str]) -> str | None:
    """The state folder that `--resume` names; None without one."""
    found = None
    for number, argument in enumerate(arguments):
        if argument == "--resume" and number + 1 < len(arguments):
            found = arguments[number + 1]
        elif argument.startswith("--resume="):
            found = argument.removeprefix("--resume=")
    return os.path.expanduser(found) if found else None


def without_beginning(arguments: list[str]) -> list[str]:
    kept: list[str] = []
    passed = False
    for argument in arguments:
        if passed:
            passed = False
        elif argument in _BEGINNING:
            passed = True
        elif not argument.startswith(tuple(f"{flag}=" for flag in _BEGINNING)):
            kept.append(argument)
    return kept
