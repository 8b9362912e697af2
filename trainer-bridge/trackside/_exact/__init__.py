"""Exact pause for sd-scripts: stops a training after any optimizer step, and goes on bit for bit (`trackside.exact`)."""
