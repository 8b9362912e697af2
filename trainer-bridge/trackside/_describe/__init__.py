"""Describes the argparse parser of a script without running the script's work: see `__main__.py`."""
