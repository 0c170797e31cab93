"""The version, alone in a file that imports nothing, for setup.cfg to read."""

__version__ = "0.1.0"
