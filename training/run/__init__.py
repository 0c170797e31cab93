"""A run: its folder, its model, its heads and the record of its data."""
