"""Describes the argparse parser of a script without running the script's work: see `__main__.py`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

LIMIT_SECONDS = 60.0


def describe(
    script: str | os.PathLike[str], *, python: str = sys.executable, seconds: float = LIMIT_SECONDS
) -> dict[str, Any]:
    """The arguments of a script's own argparse parser, as `trackside add` shows them in a form.

    The script runs up to its parser, in a process of its own, for `seconds` at most, and does not train.
    Returns {"arguments": [{"name", "flags", "type", "default", "choices", "nargs", "help", "group", …}], "groups",
    "exclusive", "commands", …}; or {"error": words} for a script that can't be described. Raises OSError if `python`
    can't be started.
    """
    tool = os.path.join(os.path.dirname(os.path.abspath(__file__)), "__main__.py")
    ran = subprocess.run(
        [python, tool, "--limit", str(seconds), os.fspath(script)], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found
