"""Opens damaged runs: `python -m tests.fuzz.runs CASES SEED FOLDER`.

Each case is a run folder one of whose files is damaged, opened by `training evaluate`,
`training plot`, or as `python -m export` opens it.
"""

import io
import json
import pathlib
import random
import shutil
import sys
import zipfile

import keras
import numpy as np

from export.source.opening import open_source
from leaf_files.clips import write_clip
from leaf_files.run_folder import Head
from tests.fuzz.damage import damaged, damaged_json, damaged_member, zipped
from tests.fuzz.sandbox import Sandbox, Tally
from training.__main__ import dispatch as training
from training.run.folder import RunFolder
from training.run.models import build_classifier, load_classifier
from training.settings.config import FitConfig

HEADS = (Head("folder:clips", "clips", ("high", "low")),)
HISTORY = "epoch,loss,val_accuracy,val_loss\n1,0.5,0.5,0.6\n2,0.4,0.6,0.5\n"


def make_run(folder):
    """A finished run, as far as those who open it look."""
    run = RunFolder(folder)
    config = FitConfig(
        HEADS[0].task, frontend="mel", n_filters=4, sample_rate=8000, window_seconds=0.2
    )
    folder.mkdir()
    run.config.write_text(json.dumps(config.to_dict()))
    run.write_heads(HEADS)
    run.history.write_text(HISTORY)
    build_classifier(config, HEADS).save(run.model)
    return run


def make_clips(folder):
    random = np.random.default_rng(0)
    for label in HEADS[0].labels:
        write_clip(folder / label / "0.wav", random.uniform(-0.5, 0.5, 2000), 8000)


def members_of(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def with_config(content, random):
    """A `.keras` file that is sound but for a value in its config."""
    config, how = damaged_json(members_of(content)["config.json"], random)
    return zipped({**members_of(content), "config.json": config}), how


def climbing(content, random):
    """A `.keras` file with members that lead out of it."""
    names = ("../evil", "../../evil", "/evil", "assets/../../../evil", "a\\..\\evil")
    return zipped({**members_of(content), **dict.fromkeys(names, b"evil")}), "climbing"


def damage(run, random):
    """Damages one file of a run; returns its name and how."""
    path = random.choice(
        [run.model, run.model, run.config, run.tasks, run.labels, run.history]
    )
    if random.random() < 0.05:
        path.unlink()
        if random.random() < 0.5:
            path.mkdir()
        return path.name, "not there"
    content = path.read_bytes()
    if path == run.model:
        kinds = (damaged, damaged_member, with_config, with_config, climbing)
    elif path.suffix == ".json":
        kinds = (damaged, damaged_json, damaged_json)
    else:
        kinds = (damaged,)
    kind = random.choice(kinds)
    content, how = kind(content, random)
    path.write_bytes(content)
    return path.name, f"{kind.__name__}, {how}"


def open_as_export_does(argv):
    open_source(*argv)


def require_same_weights(run, weights):
    """A `.keras` file whose bytes are damaged doesn't load as something else."""
    for value, expected in zip(load_classifier(run.model, HEADS).weights, weights):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(value), expected)


def main(n_cases, seed, folder):
    generator = random.Random(seed)
    sandbox = Sandbox(folder)
    base, clips = pathlib.Path(folder, "base"), pathlib.Path(folder, "clips")
    model = make_run(base).model
    make_clips(clips)
    weights = keras.models.load_model(model, compile=False).get_weights()
    commands = (
        (training, "evaluate", sandbox.case, "--task", f"folder:{clips}"),
        (training, "plot", sandbox.case, "--output", sandbox.output),
        (open_as_export_does, sandbox.case),
    )
    tally = Tally()
    for number in range(n_cases):
        shutil.rmtree(sandbox.case, ignore_errors=True)
        shutil.copytree(base, sandbox.case)
        run = RunFolder(sandbox.case)
        name, how = damage(run, generator)
        dispatch, *argv = commands[number % len(commands)]
        with tally.case(f"{number}: {argv[0]}, {name}: {how}") as ends:
            end = sandbox.run(dispatch, *argv)
            if name == "model.keras" and how.startswith("damaged,"):
                if end == "answered":
                    require_same_weights(run, weights)
            ends.append(end)
    tally.finish()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
