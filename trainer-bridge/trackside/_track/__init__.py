"""A training loop as a session: `trackside.track`."""
