#!/usr/bin/env python3
"""The practice trainer: a real, if tiny, LoRA training in plain Python, with the command line of sd-scripts' train_network.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from trackside._practice.arguments import read_arguments
from trackside._practice.train import train

if __name__ == "__main__":
    train(read_arguments(sys.argv[1:]))
