"""Stands in for Hugging Face's accelerate: only `python -m accelerate.commands.launch`, as its 1.6.0 behaves."""
