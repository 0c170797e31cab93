"""The benchmark of real tasks: `python -m benchmarks suite`.

Frontends are compared with mel on tasks whose test clips come from groups that training
hasn't met: other speakers, rooms, kits. Each run is one small file, so that what is
finished can be kept, merged and gone on from.

- `tasks.py`: the tasks, and the settings of a run on each
- `conditions.py`: the sound that a trained model is tested on
- `plan.py`: the runs that are wanted, and the processes that make them
- `job.py`: the work of such a process
- `runs.py`: a run's file
- `running.py`: the command
- `statistics.py`: paired differences with intervals, and how many of them count
- `results.py`: numbers from run files
- `report.py`, `figures.py`: the pages
"""
