"""Owns one attempt of a training: `python -m trackside.runner --help`.

The sidecar starts it as a file: that is quicker than -m, and needs no PYTHONPATH, which the trainer would inherit.
"""

from __future__ import annotations

import os
import sys

if not __package__:
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from trackside._attempt.runner import main

if __name__ == "__main__":
    sys.exit(main())
