"""The practice trainer: sd-scripts' flags, files, console lines and quirks around a LoRA small enough for plain Python.

`train.py` tells the story of a run; every other file is one part of it. Facts about sd-scripts are cited as
`train_network.py:NNN` and `train_util.py:NNN` of commit 48d368f.
"""
