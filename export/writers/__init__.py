"""Artifacts made, each format in a module of its own."""
