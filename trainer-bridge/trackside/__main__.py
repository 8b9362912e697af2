"""`trackside` on the command line: the same as npm's, with Node from wherever there is one."""

from __future__ import annotations

import os
import sys

from trackside import __version__
from trackside._serve.node import CannotServe, find_node, node_environment, sidecar


def main() -> int:
    """Takes the place of this process; returns only where it cannot."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        print(__version__)
        return 0
    try:
        node, program = find_node(), sidecar()
        os.execve(node, [node, program, *sys.argv[1:]], node_environment())
    except (CannotServe, OSError) as error:
        print(f"trackside: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
