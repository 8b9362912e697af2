"""Starts a training of sd-scripts that can be paused after any step and goes on bit for bit.

    python -m trackside.exact [flags of `accelerate launch`] train_network.py ARGUMENTS…

Works with the unmodified `*_train_network.py` scripts, on one GPU or the CPU. SIGTERM or SIGUSR1 pauses: a state folder is
saved after the present step, and the process ends with exit code 75. `--resume` of that folder goes on with the next step:
same losses, same final weights. Where a name that this relies on is missing, the script trains plainly, and the log says
why.
"""

from __future__ import annotations

import os
import sys

if not __package__:
    # Started as a file: quicker than -m, and needs no PYTHONPATH, which the trainer would inherit.
    sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from trackside._exact.start import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
