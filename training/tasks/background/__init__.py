"""Sounds of none of the classes: made up, of folders, of what nobody annotated."""
