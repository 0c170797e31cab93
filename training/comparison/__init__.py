"""Trains frontends on the same tasks and seeds, and says which differ.

plan: what is trained, and where it lies; launch: a process for each run; job: what
such a process does; data: whether runs are of the same clips; results: from run folders
to numbers; report, figures: to pages.
"""
