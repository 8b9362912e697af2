"""Thin connections to frameworks; each imports its own only when it is used."""
