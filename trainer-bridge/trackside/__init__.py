"""The Python side of Trackside: the runner that owns an attempt, and the practice trainer. Standard library only."""
