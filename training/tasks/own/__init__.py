"""Clips of the user's own, as a folder or a table has them."""
