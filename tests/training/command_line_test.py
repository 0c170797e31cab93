"""What a user types, and what is answered."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import soundfile

from leaf_files import command_line
from leaf_files.clips import write_clip
from tests.training.runs import SAMPLE_RATE, flat, noise, write_noises
from training.__main__ import dispatch
from training.tasks.registry import known_tasks

SMALL = (
    *("--frontend", "mel", "--n-filters", "8", "--sample-rate", str(SAMPLE_RATE)),
    *("--window-seconds", "0.25", "--epochs", "1", "--batch-size", "4"),
)


def training(*argv):
    """`python -m training ...`; returns the exit code."""
    try:
        return command_line.run(dispatch, [*map(str, argv)], "python -m training")
    except SystemExit as error:
        return error.code


pytestmark = pytest.mark.usefixtures("no_figures")


@pytest.fixture
def clips(tmp_path):
    return write_noises(tmp_path / "clips", n_clips=4)


@pytest.fixture
def refused(capsys, tmp_path):
    """A command fails in one line on stderr and leaves no file behind."""

    def run(*argv, code=1):
        before = sorted(tmp_path.rglob("*"))
        capsys.readouterr()
        assert training(*argv) == code
        error = capsys.readouterr().err
        assert error.count("\n") == 1, error
        assert error.startswith("python -m training")
        assert sorted(tmp_path.rglob("*")) == before
        return error

    return run


@pytest.fixture
def fit_refused(refused, tmp_path):
    def run(*argv, **kwargs):
        return refused("fit", "--output", tmp_path / "run", *SMALL, *argv, **kwargs)

    return run


def works(clips, *argv):
    """fit, then evaluate, which agrees."""
    run = clips.parent / "run"
    assert not training(
        "fit", "--task", f"folder:{clips}", "--output", run, *SMALL, *argv
    )
    assert not training("evaluate", run, "--json")
    return json.loads((run / "metrics.json").read_text())


def test_fit_evaluate_and_what_they_say(clips, pooling, capsys, tmp_path):
    metrics = works(clips, "--encoder", pooling)
    printed = capsys.readouterr()
    fit, brace, evaluated = printed.out.partition("{\n")
    evaluated = json.loads(brace + evaluated)
    task = f"folder:{clips}"
    assert flat(evaluated["tasks"]) == pytest.approx(flat(metrics["tasks"]))
    assert "2 classes; 4 train, 2 validation, 2 test clips" in fit
    assert "training: 1 epoch of 1 step, 4 windows each\n" in fit
    few = "It learned for 1 epoch only: try --epochs 10, 10 steps in place of 1.\n"
    assert few in fit
    assert f"the run lies in {tmp_path / 'run'}" in fit
    assert printed.err == f"evaluating on 2 clips of {task}\n"
    assert not training("evaluate", tmp_path / "run")
    assert " of 1 right" in capsys.readouterr().out


def test_the_list_of_tasks(capsys, tmp_path):
    assert training("tasks", "--data-dir", tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [task.name for task in known_tasks()]
    assert [line.split()[0] for line in lines[1::2]] == [
        *names,
        "folder:PATH",
        "table:FILE",
    ]
    [row] = [line for line in lines if line.startswith("speech_commands ")]
    assert "2.4 GiB  " in row and "missing" in row and "CC BY 4.0" in row
    assert "https://arxiv.org/abs/1804.03209" in row

    assert training("tasks", "--json", "--data-dir", tmp_path) == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["name"] for record in records] == names
    assert not any(record["ready"] for record in records)


def test_all_of_one_task(refused, capsys, tmp_path):
    assert training("tasks", "voxceleb", "--data-dir", tmp_path) == 0
    text = capsys.readouterr().out
    assert f"{tmp_path}/downloads/manual/vox_dev_wav.zip" in text
    assert "official (iden_split.txt)" in text
    assert "there is no task 'vox'" in refused("tasks", "vox")
    assert "folder:x is data of yours" in refused("tasks", "folder:x")


def test_missing_and_empty_folders(fit_refused, tmp_path):
    assert "there is no folder" in fit_refused("--task", f"folder:{tmp_path}/no")
    (tmp_path / "empty").mkdir()
    assert "is empty" in fit_refused("--task", f"folder:{tmp_path}/empty")


def test_too_few_classes_and_clips(fit_refused, clips):
    for path in list((clips / "low").iterdir())[1:]:
        path.unlink()
    assert "class 'low' has 1 distinct clips" in fit_refused(
        "--task", f"folder:{clips}"
    )
    shutil.rmtree(clips / "low")
    assert "has one class only, 'high'" in fit_refused("--task", f"folder:{clips}")


def test_files_that_are_no_audio(fit_refused, clips):
    text = clips / "low" / "text.wav"
    text.write_text("no sound")
    error = fit_refused("--task", f"folder:{clips}")
    assert "1 of 9 clips can't be used; mend or remove them, or leave them" in error
    assert f"out with --skip-bad-clips: cannot read the audio file {text}" in error
    text.unlink()
    whole = clips / "low" / "00.flac"
    whole.write_bytes(whole.read_bytes()[:-200])
    assert str(whole) in fit_refused("--task", f"folder:{clips}")


def test_bad_clips_are_skipped_by_fit_and_evaluate(
    clips, pooling, refused, capsys, tmp_path
):
    bad = clips / "low" / "bad\nclip.wav"
    bad.write_text("no sound")
    metrics = works(clips, "--encoder", pooling, "--skip-bad-clips")
    assert sum(metrics["clips"].values()) == 8
    named = f"  cannot read the audio file {clips}/low/bad clip.wav: it is damaged"
    # Once by fit, once by evaluate, which knows the run's settings.
    errors = capsys.readouterr().err.splitlines()
    assert errors.count("1 of 9 clips can't be used and are skipped:") == 2
    assert len([line for line in errors if line.startswith(named)]) == 2

    run, others = tmp_path / "run", shutil.copytree(clips, tmp_path / "others")
    settings = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**settings, "skip_bad_clips": False}))
    asked = ("evaluate", run, "--task", f"folder:{others}")
    assert "1 of 9 clips can't be used; mend" in refused(*asked)
    assert not training(*asked, "--skip-bad-clips")
    assert "on 8 clips" in capsys.readouterr().out


def test_a_clip_that_is_lost_on_the_way_is_named(
    clips, pooling, monkeypatch, capsys, tmp_path
):
    from training.fit import fitting

    def lose_one(*arguments):
        data = load(*arguments)
        [clip] = data.splits["train"].dataset(8000).take(1).as_numpy_iterator()
        (clips / clip["clip"].decode()).write_text("no sound")
        return data

    load = fitting._load
    monkeypatch.setattr(fitting, "_load", lose_one)
    run = tmp_path / "run"
    argv = ("fit", "--task", f"folder:{clips}", "--output", run, *SMALL)
    assert training(*argv, "--encoder", pooling, "--cache", "none") == 1
    error = capsys.readouterr().err
    # tensorflow-io, where it loads, tells no name.
    assert re.search(f"cannot read (the audio file {clips}|an audio file)", error)
    assert "it was whole before" in error and "Traceback" not in error


def test_clips_of_ten_samples_of_silence_and_of_another_shape(clips, pooling):
    random = np.random.default_rng(0)
    for index in range(4):
        write_clip(clips / "low" / f"short{index}.wav", random.uniform(-1, 1, 10), 8000)
    write_clip(clips / "high" / "silence.flac", np.zeros(4000), 8000)
    stereo = np.stack([noise(random, 1.0, True)] * 2, axis=1)
    for index in range(4):
        path = clips / "high" / f"stereo{index}.wav"
        soundfile.write(path, stereo * 0.2 * (index + 1), 44100)
    metrics = works(clips, "--encoder", pooling)
    assert sum(metrics["clips"].values()) == 8 + 4 + 1 + 4
    assert all(np.isfinite(task["loss"]) for task in metrics["tasks"].values())


def test_unknown_names(fit_refused):
    error = fit_refused("--task", "digits")
    assert "there is no task 'digits'; the tasks are synthetic, spoken_digit" in error
    error = fit_refused("--task", "synthetic", "--frontend", "best", code=2)
    assert "argument --frontend: must be one of leaf, " in error
    assert "Received: best" in error
    error = fit_refused("--task", "synthetic", "--encoder", "best", code=2)
    assert "argument --encoder: must be one of small, " in error
    assert "or end in .keras. Received: best" in error


def test_an_encoder_of_ones_own(clips, capsys, tmp_path):
    features = keras.Input((None, 8))
    outputs = keras.layers.GlobalAveragePooling1D()(features)
    path, run = tmp_path / "own.keras", tmp_path / "run"
    keras.Model(features, outputs).save(path)
    argv = ("fit", "--task", f"folder:{clips}", "--output", run, *SMALL)
    assert not training(*argv, "--encoder", path)
    config = json.loads((run / "config.json").read_text())
    assert config["encoder"] == str(path)
    other = (*argv[:4], tmp_path / "other", *SMALL)
    assert training(*other, "--encoder", tmp_path / "no.keras") == 1
    assert "must be a file that exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option, value",
    [
        ("--epochs", "0"),
        ("--window-seconds", "nan"),
        ("--window-seconds", "1e9"),
        ("--sample-rate", "-8000"),
        ("--batch-size", "many"),
        ("--seed", "-1"),
    ],
)
def test_settings_out_of_range(fit_refused, option, value):
    error = fit_refused("--task", "synthetic", f"{option}={value}", code=2)
    assert f"argument {option}: must be " in error and ". Received: " in error


HOSTS = ("--distribute", "hosts", "--coordinator", "127.0.0.1:9876")


@pytest.mark.parametrize(
    "options, said",
    [
        (HOSTS[2:], "are of --distribute hosts"),
        (HOSTS, "needs --coordinator HOST:PORT, --n-hosts N and --host-index N"),
        (
            (*HOSTS, "--n-hosts", "2", "--host-index", "2"),
            "--host-index must be below --n-hosts, 2. Received: 2",
        ),
        (
            (*HOSTS[:3], "10.0.0.1", "--n-hosts", "2", "--host-index", "0"),
            "--coordinator must be HOST:PORT, the address of the first host and a free",
        ),
    ],
)
def test_hosts_that_are_not_named_right(fit_refused, options, said):
    assert said in fit_refused("--task", "synthetic", *options)


@pytest.mark.parametrize("option, value", [("n-hosts", 0), ("host-index", -1)])
def test_numbers_of_hosts(fit_refused, option, value):
    error = fit_refused("--task", "synthetic", f"--{option}={value}", code=2)
    assert f"--{option}: must be a whole number, at least {value + 1}." in error


def test_many_hosts_without_jax(fit_refused, clips, monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    options = (*HOSTS, "--n-hosts", "2", "--host-index", "0")
    error = fit_refused("--task", f"folder:{clips}", *options)
    assert 'jax is not installed; install it with: pip install "leaf_tf[jax]"' in error


@pytest.mark.parametrize("frontend", ["mel", "leaf"])
@pytest.mark.parametrize("rate", [1, 100])
def test_rates_that_the_frontend_refuses(fit_refused, clips, frontend, rate):
    error = fit_refused(
        *("--task", f"folder:{clips}", "--frontend", frontend, "--sample-rate", rate)
    )
    assert f"the frontend {frontend} can't be made with 8 filters at {rate} Hz" in error


def test_odd_settings_that_work(clips):
    works(
        clips,
        *("--sample-rate", "1001", "--n-filters", "1", "--batch-size", "64"),
        *("--window-seconds", "20", "--steps-per-epoch", "1"),
    )


def test_outputs_that_cannot_be_written(refused, clips, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "config.json").write_text("{}")
    fit = ("fit", "--task", f"folder:{clips}", *SMALL, "--output")
    below = refused(*fit, tmp_path / "file" / "run")
    assert "cannot write to the folder" in below and "Not a directory" in below
    assert "cannot write to the folder" in refused(*fit, tmp_path / "file")
    assert "holds files that are no run's" in refused(*fit, tmp_path / "foreign")
    assert "would be taken for a class" in refused(*fit, clips / "run")


def test_a_finished_run_is_not_overwritten(refused, finished, noises):
    error = refused(
        *("fit", "--task", f"folder:{noises}", *SMALL, "--output", finished.path)
    )
    assert "holds a finished run already" in error


def test_data_that_cannot_be_had(tmp_path, monkeypatch, capsys):
    import requests

    def no_network(*args, **kwargs):
        raise requests.exceptions.ConnectionError("no route\nto host")

    monkeypatch.setattr(requests.Session, "get", no_network)
    assert 1 == training(
        *("fit", "--task", "spoken_digit", "--data-dir", tmp_path / "data"),
        *("--output", tmp_path / "run", *SMALL),
    )
    preparing, error = capsys.readouterr().err.splitlines()
    assert preparing.startswith("preparing the data of spoken_digit in ")
    assert "cannot get the data of task 'spoken_digit'" in error
    assert not (tmp_path / "run").exists()


def test_evaluate_on_what_is_no_run(refused, finished, clips, tmp_path):
    assert "config.json is missing" in refused("evaluate", tmp_path / "no")
    assert "config.json is missing" in refused("evaluate", clips)
    run = shutil.copytree(finished.path, tmp_path / "run")
    (run / "model.keras").write_bytes((run / "model.keras").read_bytes()[:9999])
    assert "model.keras is damaged" in refused("evaluate", run)
    (run / "config.json").write_text('{"task": 1}')
    assert "cannot read the settings" in refused("evaluate", run)


def test_evaluate_on_another_folder(refused, finished, clips, capsys):
    assert not training("evaluate", finished.path, "--task", f"folder:{clips}")
    out = capsys.readouterr().out
    assert "accuracy 1.0000" in out and "  high  4 of 4 right" in out
    (clips / "low").rename(clips / "deep")
    error = refused("evaluate", finished.path, "--task", f"folder:{clips}")
    assert "has classes that the model doesn't know: deep" in error
    assert "there is no task 'x'" in refused("evaluate", finished.path, "--task", "x")


def test_plot_draws_and_says_where(finished, capsys, tmp_path):
    before = sorted(finished.path.rglob("*"))
    assert training("plot", finished.path, "--output", tmp_path / "new") == 0
    printed = capsys.readouterr()
    assert printed.out == (
        "MelFilterbanks has nothing learned to draw except learning_curves.png in "
        f"{tmp_path / 'new'}\n"
    )
    assert printed.err == ""
    assert [path.name for path in (tmp_path / "new").iterdir()] == [
        "learning_curves.png"
    ]
    assert sorted(finished.path.rglob("*")) == before


def test_plot_of_what_is_no_run_or_to_where_none_can_be(refused, finished, tmp_path):
    assert "config.json is missing" in refused("plot", tmp_path / "no")
    (tmp_path / "file").write_text("mine")
    for output in (tmp_path / "file", tmp_path / "file" / "below"):
        error = refused("plot", finished.path, "--output", output)
        assert "cannot write to the folder" in error
    run = shutil.copytree(finished.path, tmp_path / "run")
    (run / "model.keras").write_bytes(b"PK nothing")
    assert "model.keras is damaged" in refused("plot", run)
    (run / "model.keras").unlink()
    assert "holds no finished run: model.keras is missing" in refused("plot", run)


def test_divergence(clips, pooling, capsys, tmp_path):
    run = tmp_path / "run"
    argv = ("fit", "--task", f"folder:{clips}", "--output", run, *SMALL)
    argv += ("--encoder", pooling)
    assert training(*argv, "--learning-rate", "1e38", "--epochs", "3") == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "try a lower --learning-rate than 1e+38" in error
    assert not (run / "metrics.json").exists()
    assert training(*argv) == 0


# A shell starts background jobs with SIGINT ignored; a user's is not.
AS_A_USER = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from training.__main__ import main; sys.exit(main())"
)


def test_ctrl_c_keeps_what_was_saved(noises, pooling, tmp_path):
    import keras

    import leaf_tf  # noqa: F401  (the layers by which the model loads)

    run = tmp_path / "run"
    argv = ("fit", "--task", f"folder:{noises}", "--output", str(run), *SMALL)
    process = subprocess.Popen(
        [sys.executable, "-c", AS_A_USER, *argv]
        + ["--encoder", pooling, "--epochs", "1000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_for(run / "history.csv", process)
        error = _interrupted(process)
    finally:
        process.kill()
    assert process.returncode == 130
    assert error.splitlines()[-1] == "python -m training: interrupted"
    for name in ("best", "last"):
        keras.models.load_model(run / "checkpoints" / f"{name}.keras")
    assert json.loads((run / "config.json").read_text())["epochs"] == 1000
    assert (run / "history.csv").read_text().startswith("epoch,accuracy,loss,")
    assert not [path for path in run.rglob(".*")]


def _interrupted(process, attempts=3):
    """Presses Ctrl-C; returns what stderr says.

    Python drops an exception that a signal raises inside a destructor, which is rare
    and not ours to mend: a user presses again.
    """
    for attempt in range(attempts):
        process.send_signal(signal.SIGINT)
        try:
            return process.communicate(timeout=120)[1]
        except subprocess.TimeoutExpired:
            if attempt == attempts - 1:
                raise


def _wait_for(path, process, seconds=600):
    for _ in range(10 * seconds):
        if path.exists():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    raise AssertionError(f"{path} did not appear in {seconds} s")


@pytest.mark.parametrize(
    "argv",
    [["fit", "--help"], ["tasks"], ["fit", "--epochs", "0"], ["plot", "no such run"]],
)
def test_quick_answers_need_no_tensorflow(argv):
    code = (
        "import sys; from leaf_files import command_line\n"
        "from training.__main__ import dispatch\n"
        "try: command_line.run(dispatch, sys.argv[1:], 'training')\n"
        "except SystemExit: pass\n"
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, *argv], check=True, capture_output=True)


def test_nothing_of_the_libraries_is_heard(clips, pooling, tmp_path):
    """As a user starts it: TensorFlow greets on stderr unless it is kept quiet."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_CPP")}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "training", "fit", "--task", f"folder:{clips}"),
            *("--output", tmp_path / "run", *SMALL, "--encoder", pooling),
        ],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == f"reading the clips of folder:{clips}"
    assert lines[2] == "training: 1 epoch of 1 step, 4 windows each"
    assert lines[3].startswith("1/1 - ") and " - val_accuracy: " in lines[3]
    assert lines[4] == "testing the best epoch, 1, on 2 clips"
    assert lines[5].startswith("test ")
    assert lines[6].startswith("test expected calibration error ")
    few = "no temperature was fitted: 2 validation clips, and 20 are needed"
    assert lines[7] == few
    assert lines[8].startswith("It learned for 1 epoch only: try --epochs 10, ")
    # Whatever so few clips score, no other line stands here.
    apart = ("Training and test are far", "Validation and test are far")
    assert all(line.startswith(apart) for line in lines[9:-2])
    assert lines[-2].startswith("read ") and lines[-1].startswith("the run lies in ")
