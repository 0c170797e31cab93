"""From raw waveforms to a file for a phone, in one go and without a download.

    python examples/quickstart.py [--output FOLDER] [--epochs N]

Runs the commands that you would run on your own clips, one after another: trains
a classifier of synthetic words with LEAF as its frontend and another one with a
mel-filterbank, evaluates both on new speakers, exports the LEAF one as SavedModel
and TFLite (both compared with Keras), and runs the TFLite file on the test clips:
one that it gets right is shown, and one that it gets wrong.
"""

import argparse
import csv
import json
import pathlib
import shlex
import subprocess
import sys
import time

from leaf_files import command_line
from leaf_files.argument_types import at_least
from leaf_files.errors import UserError

TASK = "synthetic"


def main(argv):
    parser = command_line.Parser(
        prog="quickstart",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--output",
        type=pathlib.Path,
        help="folder to write (default: quickstart_output, or the next free number)",
    )
    parser.add_argument(
        "--epochs",
        type=at_least(1),
        default=20,
        help="of both trainings, at least 1 (default: %(default)s)",
    )
    arguments = parser.parse_args(argv)
    output = new_folder(arguments.output)
    started = time.monotonic()

    for frontend in ("leaf", "mel"):
        run(
            f"python -m training fit --task {TASK} --frontend {frontend} "
            f"--epochs {arguments.epochs} --batch-size 16 "
            f"--data-dir {quoted(output / 'data')} --output {quoted(output / frontend)}"
        )
    leaf, phone = output / "leaf", output / "phone"
    run(f"python -m export {quoted(leaf)} --output {quoted(phone)}")
    show_test_clips(leaf / "evaluation_clips", phone / "model.tflite", output)
    draw_comparison(output)
    summarize(output, time.monotonic() - started)


def new_folder(asked):
    """The folder to write: the one asked for, or one that is not there yet."""
    if asked is not None:
        if asked.exists():
            raise UserError(f"{asked} exists already; name a new folder as --output")
        return asked
    folder, number = pathlib.Path("quickstart_output"), 1
    while folder.exists():
        number += 1
        folder = pathlib.Path(f"quickstart_output_{number}")
    return folder


def run(command):
    """Shows a command and runs it with this Python; ends where it fails."""
    print(f"\n$ {command}", flush=True)
    status = subprocess.call(with_this_python(command))
    if status:
        sys.exit(status)


def with_this_python(command):
    return [sys.executable, *shlex.split(command)[1:]]


def quoted(path):
    return shlex.quote(str(path))


def show_test_clips(clips, model, output):
    """Runs the model on all test clips, and shows one it gets right and one not.

    Args:
        clips: The run's folder of test clips, with their labels in `clips.csv`.
        model: A `.tflite` file.
        output: Folder to write the two to, as WAV files.
    """
    from leaf_files.clips import read_clip, write_clip

    with open(clips / "clips.csv", newline="", encoding="utf-8") as file:
        labels = {row["file"]: row["label"] for row in csv.DictReader(file)}
    command = f"python -m export predict {quoted(model)}"
    paths = " ".join(quoted(clips / name) for name in labels)
    answers = subprocess.run(
        with_this_python(f"{command} {paths} --top 1 --json"),
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    found = {
        pathlib.Path(answer["clip"]).name: answer["labels"][0]["label"]
        for answer in json.loads(answers)
    }
    examples = {
        "right": [name for name in labels if found[name] == labels[name]],
        "wrong": [name for name in labels if found[name] != labels[name]],
    }
    print(f"\n# {model.name} labels {len(labels)} test clips")
    shown = []
    for kind, names in examples.items():
        print(f"#   {kind}: {len(names)}", end="")
        if names:
            wav = output / f"{kind}.wav"
            write_clip(wav, *read_clip(clips / names[0]))
            shown.append(wav)
            print(f"; the first is {wav}, the word {labels[names[0]]!r}", end="")
        print()
    run(f"{command} {' '.join(map(quoted, shown))} --top 3")


def draw_comparison(output):
    """Draws the validation accuracy of both runs, epoch by epoch."""
    from matplotlib.figure import Figure

    from leaf_files.figures import GREY, RUST, save_figure

    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    for frontend, color in (("leaf", RUST), ("mel", GREY)):
        rows = (output / frontend / "history.csv").read_text().splitlines()
        column = rows[0].split(",").index("val_accuracy")
        accuracies = [float(row.split(",")[column]) for row in rows[1:]]
        axes.plot(range(1, len(rows)), accuracies, ".-", color=color, label=frontend)
    axes.set(xlabel="epoch", ylabel="accuracy", title="Validation clips", ylim=(0, 1))
    axes.legend()
    axes.grid(alpha=0.3)
    save_figure(figure, output / "leaf_and_mel.png")


def summarize(output, seconds):
    print(f"\nDone in {seconds:.0f} s.")
    for frontend in ("leaf", "mel"):
        metrics = json.loads((output / frontend / "metrics.json").read_text())
        task = metrics["tasks"][TASK]
        print(
            f"  {frontend:<5} test accuracy {task['accuracy']:.3f} on "
            f"{task['n_examples']} clips of new speakers; "
            f"{metrics['parameters']['frontend']} parameters in the frontend"
        )
    report = json.loads((output / "phone" / "report.json").read_text())
    for name, artifact in report["artifacts"].items():
        print(
            f"  {name:<14} differs from Keras by at most "
            f"{artifact['max_difference']:.1e} in probability"
        )
    for path, what in (
        ("leaf", "the run: model.keras, metrics, history, figures/"),
        ("mel", "the same with a mel-filterbank"),
        ("phone", "model.tflite, saved_model/, README.md, report.md"),
        ("leaf_and_mel.png", "both runs, epoch by epoch"),
    ):
        print(f"  {output / path}: {what}")


if __name__ == "__main__":
    sys.exit(command_line.run(main, sys.argv[1:], prog="quickstart"))
