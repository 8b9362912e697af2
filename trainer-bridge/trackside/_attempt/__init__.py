"""One attempt of a training: its lock, its record, its processes, and the runner that owns it."""
