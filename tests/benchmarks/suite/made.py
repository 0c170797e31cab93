"""Runs and clips that tests of the suite make up."""

import numpy as np

from benchmarks.suite.conditions import CONDITIONS
from benchmarks.suite.runs import Run, run_path
from leaf_files.clips import write_clip

SPEAKERS = ("ann", "bob", "cy", "dee", "eve")
N_KITS, N_CLIPS = 4, 10


def write_digits(folder):
    """A folder of the task `digits`: low and high tones of 5 speakers."""
    random = np.random.default_rng(0)
    for label, hz in (("0", 500), ("1", 2000)):
        (folder / "digits" / label).mkdir(parents=True)
        for speaker in SPEAKERS:
            for number in range(2):
                time = np.arange(4000) / 8000
                tone = 0.3 * np.sin(2 * np.pi * hz * random.uniform(0.9, 1.1) * time)
                write_clip(
                    folder / "digits" / label / f"{label}_{speaker}_{number}.wav",
                    tone + random.uniform(-0.01, 0.01, 4000),
                    8000,
                )


def write_runs(
    output, right_of, n_seeds=3, task="drums", encoders=("small",), settings=None
):
    """Files of made-up runs.

    Args:
        output: Folder of the suite.
        right_of: {frontend: {condition, or "" for all others: right clips of 10 in each
            kit, or a list of such numbers by seed}}.
        n_seeds, task, encoders, settings: What was run.
    """
    for frontend, by_condition in right_of.items():
        for encoder in encoders:
            for seed in range(n_seeds):
                counts = {}
                for condition in CONDITIONS:
                    right = by_condition.get(condition, by_condition[""])
                    right = right[seed] if isinstance(right, list) else right
                    counts[condition] = {
                        f"kit {seed} {kit}": (right, N_CLIPS) for kit in range(N_KITS)
                    }
                run = Run.made_up(task, frontend, seed, counts, encoder, settings)
                run.write(run_path(output, task, encoder, frontend, seed))
