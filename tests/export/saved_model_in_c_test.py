"""examples/c/classify.c, built against the TensorFlow that is installed."""

import contextlib
import io
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.export.conftest import LABELS
from tests.export.deploy_test import snippets
from tests.export.models import SAMPLE_RATE

REPOSITORY = Path(__file__).parents[2]
# Reads TensorFlow's libraries in a second, where GNU's own takes six.
LINKER = next((f"-fuse-ld={n}" for n in ("gold", "lld") if shutil.which(f"ld.{n}")), "")


def printed(code):
    """What a program prints, run in this process, which has TensorFlow already."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, {})
    return out.getvalue().strip()


@pytest.fixture(scope="module")
def classify(tmp_path_factory):
    """Builds the program as docs/deploy.md says; returns what runs it."""
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler, and finds no cc")
    program = tmp_path_factory.mktemp("c") / "classify"
    (commands,) = snippets("C", "sh")
    commands, separator, _ = commands.partition("ffmpeg")
    assert separator
    ((call, code),) = re.findall(r'(\$\(python -c "(.*?)"\))', commands)
    for word, own in (
        (call, shlex.quote(printed(code))),
        ("cc ", f"cc -std=c99 -Wall -Wextra -Werror {LINKER} "),
        ("-o classify", f"-o {program}"),
    ):
        assert word in commands
        commands = commands.replace(word, own)
    command = ["bash", "-e", "-c", commands]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    def run(folder, rate, waveform, *head):
        return subprocess.run(
            [program, folder, str(rate), *head],
            input=np.asarray(waveform, "<f4").tobytes(),
            capture_output=True,
        )

    return run


def answers(done):
    """[(label, probability)], in the order printed."""
    assert done.returncode == 0, done.stderr.decode()
    lines = [line.split(" ", 1) for line in done.stdout.decode().splitlines()]
    return [(label, float(probability)) for probability, label in lines]


def test_a_c_program_answers_as_keras_does(exported, classify, windows, expected):
    folder = exported / "saved_model" / "1"
    printed = answers(classify(folder, SAMPLE_RATE, windows[0]))
    order = np.argsort(-expected[0])
    assert [label for label, _ in printed] == [LABELS[i] for i in order]
    values = [probability for _, probability in printed]
    np.testing.assert_allclose(values, expected[0][order], atol=1e-5)


def test_it_asks_the_model_for_its_rate_and_says_what_is_wrong(exported, classify):
    folder = exported / "saved_model" / "1"
    for argv, message in (
        ((folder, 44100, [0.0]), "44100: the model takes a waveform of 8000 Hz"),
        ((folder, SAMPLE_RATE, []), "must have at least one sample"),
        (
            (folder, SAMPLE_RATE, [0.0], "dogs"),
            "serving_default: has no dogs_top_labels",
        ),
    ):
        done = classify(*argv)
        assert done.returncode == 1
        assert message in done.stderr.decode(), done.stderr.decode()
