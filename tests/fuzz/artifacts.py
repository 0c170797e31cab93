"""Asks damaged artifacts: `python -m tests.fuzz.artifacts CASES SEED FOLDER KIND`.

Each case is an exported file, or one of the files beside it, damaged; asked by `export
predict`, and beside its report by `export verify` as well.

KIND: "tflite", "streaming" or "saved_model".
"""

import pathlib
import random
import shutil
import sys

import numpy as np

from export.__main__ import dispatch as export
from leaf_files.clips import write_clip
from tests.export.models import N_CLASSES, SAMPLE_RATE, classifier, mel
from tests.fuzz.damage import damaged, damaged_json
from tests.fuzz.sandbox import Sandbox, Tally

OPTIONS = {
    "tflite": ("--formats", "tflite", "--quantize", "none"),
    "streaming": ("--formats", "tflite", "--quantize", "none", "--streaming"),
    "saved_model": ("--formats", "saved_model"),
}
NAMES = {
    "tflite": "model.tflite",
    "streaming": "model_streaming.tflite",
    "saved_model": "saved_model/1",
}


def make_artifact(folder, kind):
    """An artifact folder of a small model."""
    model, labels = folder / "model.keras", folder / "names.txt"
    # LEAF's graph takes long to load, each time; its states are its own.
    layer = None if kind == "streaming" else mel()
    classifier(layer=layer).save(model)
    labels.write_text("".join(f"name {i}\n" for i in range(N_CLASSES)))
    output = folder / "base"
    argv = (model, "--output", output, "--window", "0.2", "--labels", labels)
    assert not export([*map(str, argv), *OPTIONS[kind]])
    return output


def damage(folder, name, random):
    """Damages a file of an artifact folder, its report left out; says how.

    Returns:
        (how, whether the report is still there).
    """
    is_alone = random.random() < 0.5
    artifact = folder / name
    files = [path for path in artifact.rglob("*") if path.is_file()] or [artifact]
    path = random.choice(files)
    report = folder / "report.json"
    if not is_alone and random.random() < 0.3:
        content, how = damaged_json(report.read_bytes(), random)
        report.write_bytes(content)
        return f"report.json: {how}", True
    if is_alone:
        report.unlink()
        if random.random() < 0.1:
            path = folder / "labels.txt"
    content, how = damaged(path.read_bytes(), random)
    path.write_bytes(content)
    return f"{path.name}: {how}{', alone' if is_alone else ''}", not is_alone


def main(n_cases, seed, folder, kind):
    generator = random.Random(seed)
    base = make_artifact(pathlib.Path(folder), kind)
    clip = pathlib.Path(folder, "clip.wav")
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 2000)
    write_clip(clip, noise, SAMPLE_RATE)
    sandbox, tally = Sandbox(folder), Tally()
    sandbox.run(export, "predict", base, clip)  # imports what it needs
    for number in range(n_cases):
        shutil.rmtree(sandbox.case, ignore_errors=True)
        shutil.copytree(base, sandbox.case)
        how, has_report = damage(sandbox.case, NAMES[kind], generator)
        artifact = sandbox.case / NAMES[kind]
        if kind == "streaming":
            argv = ("listen", artifact, clip)
        else:
            argv = ("predict", artifact, clip, "--sample-rate", SAMPLE_RATE)
        with tally.case(f"{number}: {how}") as ends:
            ends.append(sandbox.run(export, *argv))
            if has_report and not how.startswith("report") and number % 4 == 0:
                end = sandbox.verdict(export, "verify", sandbox.case)
                assert end != "as it was", "verify found nothing"
    tally.finish()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
