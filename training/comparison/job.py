"""One run of a comparison, in a process of its own.

    python -m training.comparison.job REQUEST

REQUEST is JSON, {"config": a `FitConfig`'s settings, "run": folder,
"noisy_metrics": file, "noises": [settings of `evaluation.noise.Noise`], "like": a run
folder whose data the run has to have, or null}. It trains, unless the run is finished,
and then tests in noise. It ends when its standard input closes, with the process that
started it. Its exit code is `OTHER_DATA` where the data isn't the required one.
"""

import dataclasses
import json
import os
import sys
import threading
from pathlib import Path

from leaf_files import command_line, quiet
from leaf_files.atomic import write_json
from leaf_files.json_files import read_json
from training.evaluation.noise import Noise
from training.run.data_record import OtherDataError
from training.run.folder import RunFolder
from training.settings.config import FitConfig

OTHER_DATA = 3  # an exit code


def main(argv):
    """Trains and tests the run of a request; returns the exit code."""
    try:
        _main(argv)
    except OtherDataError as error:
        print(f"run: error: {command_line.one_line(error)}", file=sys.stderr)
        return OTHER_DATA
    return 0


def _main(argv):
    request = json.loads(argv[0])
    run = RunFolder(request["run"])
    quiet.import_keras()
    if not run.metrics.exists():
        from training.fit.fitting import fit

        config = FitConfig(**request["config"])
        fit(config, run.path, resume=True, like=request.get("like"))
    noises = [Noise(**settings) for settings in request["noises"]]
    _test_in_noise(run, Path(request["noisy_metrics"]), noises)


def _test_in_noise(run, path, noises):
    """Adds a finished run's metrics to a file, in the noises that the file lacks."""
    from training.evaluation.evaluating import as_metrics, evaluate

    metrics_of = read_noisy_metrics(path)
    for noise in noises:
        if noise not in metrics_of:
            metrics_of[noise] = as_metrics(
                evaluate(run.path, noise=noise, exactly=True)
            )
            write_json(
                path,
                [
                    {"noise": dataclasses.asdict(noise), **metrics}
                    for noise, metrics in metrics_of.items()
                ],
            )


def read_noisy_metrics(path):
    """{`Noise`: metrics} of a file that `_test_in_noise` wrote; {} if there is none.

    >>> entry = {"noise": {"snr_db": 10.0}, "tasks": {"synthetic": {"accuracy": 0.6}}}
    >>> write_json(Path("noisy.json"), [entry])
    >>> read_noisy_metrics(Path("noisy.json"))[Noise(10.0)]
    {'tasks': {'synthetic': {'accuracy': 0.6}}}
    """
    if not path.exists():
        return {}
    entries = read_json(path)
    return {Noise(**entry.pop("noise")): entry for entry in entries}


def end_with_parent():
    """Ends this process when its standard input closes, with its parent in any case."""

    def watch():
        # Not by `sys.stdin`, whose lock Python takes as it shuts down.
        os.read(0, 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    end_with_parent()
    sys.exit(command_line.run(main, sys.argv[1:], prog="run"))
