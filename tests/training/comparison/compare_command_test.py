"""What a user of `compare` types, and what is answered."""

import dataclasses
import json
import shutil
import signal
import subprocess
import sys
import time

import pytest

from leaf_files import command_line
from leaf_files.atomic import write_json
from tests.training.comparison.made import finish, make_comparison
from training.__main__ import dispatch
from training.commands.arguments import comparison, make_parser
from training.settings.config import FitConfig


def training(*argv):
    try:
        return command_line.run(dispatch, [*map(str, argv)], "python -m training")
    except SystemExit as error:
        return error.code


def parsed(*argv):
    argv = ("compare", "--task", "synthetic", "--output", "x", *argv)
    return comparison(make_parser().parse_args([*map(str, argv)]))


def test_what_is_given_is_what_is_compared():
    found = parsed(
        *("--frontends", "leaf,mel", "--seeds", 3, "--seed", 4, "--epochs", 2),
        *("--noise-snr=10,-5", "--noise-color", "white", "--jobs", 2),
        *("--train-noise-snr", "5,20"),
    )
    assert found.settings == FitConfig(
        "synthetic", seed=4, epochs=2, noise_snr=(5.0, 20.0)
    )
    assert (found.frontends, found.baseline) == (("leaf", "mel"), "mel")
    assert list(found.seeds) == [4, 5, 6]
    assert (found.snrs_db, found.noise_color, found.jobs) == ((10, -5), "white", 2)
    assert found.output.is_absolute()
    assert parsed("--frontends", "leaf,leaf_exact").baseline == "leaf"


def test_a_frontend_may_have_settings_of_its_own(tmp_path):
    """They win over those of all; those of a file are of the frontend in it."""
    file = tmp_path / "config.json"
    file.write_text('{"frontend_settings": {"preemp": true}}')
    found = parsed(
        *("--frontends", "leaf,mel:min_freq=50:compression=pcen", "--config", file),
        *("--baseline", "mel:compression=pcen:min_freq=50.0", "--seeds", 1),
        *("--set", "frontend.min_freq=100"),
    )
    assert found.frontends == ("leaf", "mel:compression=pcen:min_freq=50")
    assert found.baseline == found.frontends[1]
    assert [(r.config.frontend, r.config.frontend_settings) for r in found.runs] == [
        ("leaf", {"min_freq": 100}),
        ("mel", {"compression": "pcen", "min_freq": 50}),
    ]
    assert len({found.runs[0], found.runs[1]}) == 2  # keys of the results
    folders = [run.folder.path.parent.name for run in found.runs]
    assert folders == ["leaf", "mel-compression-pcen-min_freq-50"]


@pytest.mark.parametrize(
    "code, argv, message",
    [
        (2, (), "the following arguments are required: --frontends"),
        (2, ("--frontends", "mel,Leaf"), "must be one of leaf, leaf_exact, "),
        (2, ("--frontends", "mel,mel"), "must be different ones. Received: mel,mel"),
        (2, ("--frontends", "mel:a=1:b=2,mel:b=2:a=1"), "must be different ones. Rec"),
        (
            *(1, ("--frontends", "leaf,mel", "--set", "frontend.preemp=true")),
            "settings of the frontend mel must be of compression, learn_filters, ",
        ),
        (
            *(1, ("--frontends", "mel:compression=lgo,leaf")),
            "and compression=lgo: `compression` must be one of ('pcen', ",
        ),
        (2, ("--frontends", "mel", "--seeds", 0), "at least 1. Received: 0"),
        (2, ("--frontends", "mel", "--noise-snr", "loud"), "finite number. Received: "),
        (2, ("--frontends", "mel", "--epochs", 0), "must be at least 1. Received: 0"),
        (1, ("--frontends", "mel", "--baseline", "leaf"), "must be one of --frontends"),
        (1, ("--frontends", "mel", "--multitask"), "needs several tasks. Received: "),
        (
            1,
            ("--frontends", "mel", "--task-weights", "1"),
            "several tasks: --multitask",
        ),
        (1, ("--frontends", "mel", "--seed", 2**32 - 1), "seeds must be below"),
        (1, ("--frontends", "mel", "--task", "song"), "there is no task 'song'"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    code, argv, message, tmp_path, capsys
):
    output = tmp_path / "x"
    base = ("compare", "--task", "synthetic", "--output", output)
    assert training(*base, *argv) == code
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and message in error
    assert not output.exists()


def test_finished_runs_are_compared_not_trained(finished, tmp_path, capsys):
    folder = tmp_path / "comparison"
    for frontend in ("mel", "mel_pcen"):
        for seed in (0, 1):
            run = folder / "runs" / "noises0" / frontend / f"seed{seed}"
            shutil.copytree(finished.path, run)
            config = dataclasses.replace(finished.config, frontend=frontend, seed=seed)
            write_json(run / "config.json", config.to_dict())
    name = finished.config.task.rpartition("/")[2]
    (folder / "runs" / "noises0").rename(folder / "runs" / name)
    argv = (
        *("compare", "--config", finished.path / "config.json", "--seeds", 2),
        *("--frontends", "mel,mel_pcen", "--output", folder),
    )
    assert training(*argv) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].endswith("2 seeds; 4 of them finished already")
    assert "no difference to mel is more than noise: mel_pcen (0.0" in printed[1]
    assert not list(folder.rglob("*.log"))
    assert (folder / "report.md").exists()

    assert training(*argv, "--epochs", 7) == 1
    assert "was started with epochs 3 (received: 7)" in capsys.readouterr().err


def test_what_fails_is_said_and_the_rest_reported(tmp_path, capsys):
    comparison = make_comparison(tmp_path, n_seeds=2, task="folder:/nowhere")
    fails = ("mel", 1)
    finish(
        comparison,
        lambda task, frontend, seed: None if (frontend, seed) == fails else 0.5,
    )
    argv = (
        *("compare", "--task", "folder:/nowhere", "--frontends", "mel,leaf"),
        *("--seeds", 2, "--output", comparison.output),
    )
    assert training(*argv) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("python -m training: error: 1 of 4 runs failed")
    assert printed.err.count("\n") == 1
    lines = printed.out.splitlines()
    assert lines[1].startswith(
        "[4 of 4] folder:nowhere, mel, seed 1: failed: there is no folder /nowhere;"
    )
    assert "3 of 4 runs are finished" in (comparison.output / "report.md").read_text()


@pytest.mark.slow
def test_a_killed_comparison_goes_on(noises, tmp_path):
    """Killed after its first run: that is kept, and no process of it lives on."""
    folder = tmp_path / "comparison"
    argv = (
        *(sys.executable, "-m", "training", "compare", "--task", f"folder:{noises}"),
        *("--frontends", "mel,leaf", "--seeds", "2", "--output", str(folder)),
        *("--n-filters", "8", "--sample-rate", "8000", "--window-seconds", "0.25"),
        *("--epochs", "2", "--batch-size", "8", "--noise-snr", "0"),
    )
    runs = folder / "runs" / noises.name
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    started = runs / "leaf" / "seed0.log"
    while not started.exists():
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = (runs / "mel" / "seed0" / "model.keras").stat().st_mtime_ns
    time.sleep(5)
    assert not (runs / "leaf" / "seed0" / "metrics.json").exists()

    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    assert (runs / "mel" / "seed0" / "model.keras").stat().st_mtime_ns == kept
    lines = done.stdout.splitlines()
    assert lines[0].endswith("1 of them finished already")
    assert [line.split("]")[0] for line in lines[1:4]] == [
        *("[2 of 4", "[3 of 4", "[4 of 4")
    ]
    assert " left" in lines[1] and " left" not in lines[3]
    results = json.loads((folder / "results.json").read_text())
    assert results["runs"] == {"finished": 4, "planned": 4}
    conditions = {score["condition"] for score in results["scores"]}
    assert conditions == {"clean", "0 dB"}
