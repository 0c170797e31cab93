"""Trains frontends on the same tasks and seeds, and says which differ.

plan: what is trained, and where it lies; launch: a process for each run; job: what
such a process does; results: from run folders to numbers; report, figures: to pages.
"""
