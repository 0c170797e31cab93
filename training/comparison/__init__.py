"""Trains frontends on the same tasks and seeds, and says which differ.

plan: the runs and their folders; launch: a process for each run; job: the work of such
a process; data: whether runs are of the same clips; results: numbers from run folders;
report, figures: the pages.
"""
