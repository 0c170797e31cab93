"""Builds the real tasks of the benchmark from public packages.

`preparing` goes through the tasks; `packages` gets Debian packages, or finds them in a
folder; `clips` writes what a task takes; `soundfont` and `pitch` read the notes of an
SF2 or SF3 file; each other module is a task.
"""

from benchmarks.suite_data.preparing import add_arguments, prepare

__all__ = ["add_arguments", "prepare"]
