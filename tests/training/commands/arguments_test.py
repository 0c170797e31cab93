import os
import re

import pytest

import leaf_tf
from training.commands import arguments
from training.run import models
from training.settings.config import ENCODERS, FRONTENDS, FitConfig
from training.settings.presets import PRESETS
from training.tasks.registry import get_tasks


def parse(*argv):
    return arguments.make_parser().parse_args(argv)


def config(*argv):
    return arguments.fit_config(
        parse("fit", "--task", "synthetic", "--output", "run", *argv)
    )


def test_the_names_are_those_of_leaf_tf():
    assert set(FRONTENDS) == set(models.FRONTENDS)
    assert set(ENCODERS) == set(leaf_tf.encoders.ENCODERS)


def test_defaults_are_those_of_the_config():
    assert config() == FitConfig("synthetic")


def test_every_setting_can_be_given():
    given = config(
        *("--frontend", "mel", "--encoder", "efficientnet_b0", "--n-filters", "3"),
        *("--sample-rate", "8000", "--window-seconds", "0.5", "--epochs", "2"),
        *("--steps-per-epoch", "4", "--batch-size", "5", "--learning-rate", "1e-4"),
        *("--seed", "6", "--data-dir", "/data", "--schedule", "constant"),
        *("--warmup-steps", "7", "--clip-norm", "0.5", "--patience", "8"),
        *("--precision", "mixed_bfloat16", "--task-weights", "2", "--balanced"),
        *("--class-weights", "none", "--mixup", "0.3", "--spec-augment"),
        *(
            "--noise-snr=-5,20",
            "--checkpoint-steps",
            "9",
            "--deterministic",
            "--cache",
            "none",
        ),
        *("--speed", "0.9,1.1", "--time-shift", "0.1", "--rir-dir", "/rooms"),
        *("--synthetic-rirs", "--rt60", "0.2,0.6", "--rir-share", "0.4"),
        *("--gain", "-6,6", "--noise-dir", "/noise", "--noise-dir-snr", "-3,9"),
        *("--noise-dir-share", "0.7"),
        *("--group-pattern", r"(\d+)__", "--folds", "5", "--fold", "4"),
    )
    assert given == FitConfig(
        task="synthetic",
        frontend="mel",
        encoder="efficientnet_b0",
        n_filters=3,
        sample_rate=8000,
        window_seconds=0.5,
        epochs=2,
        steps_per_epoch=4,
        batch_size=5,
        learning_rate=1e-4,
        seed=6,
        data_dir="/data",
        schedule="constant",
        warmup_steps=7,
        clip_norm=0.5,
        patience=8,
        precision="mixed_bfloat16",
        task_weights=(2.0,),
        balanced=True,
        mixup=0.3,
        spec_augment=True,
        noise_snr=(-5.0, 20.0),
        checkpoint_steps=9,
        deterministic=True,
        cache="none",
        speed=(0.9, 1.1),
        time_shift=0.1,
        rir_dir="/rooms",
        synthetic_rirs=True,
        rt60=(0.2, 0.6),
        rir_share=0.4,
        gain=(-6.0, 6.0),
        noise_dir="/noise",
        noise_dir_snr=(-3.0, 9.0),
        noise_dir_share=0.7,
        group_pattern=r"(\d+)__",
        folds=5,
        fold=4,
    )
    assert config("--folds", "groups").folds == "groups"
    own = ("--set", "frontend.min_freq=1e2", "--set", "frontend.compression=log")
    assert config(*own).frontend_settings == {"min_freq": 100, "compression": "log"}
    given = config(*own, "--frontend", "mel:min_freq=50.5:learn_filters=true")
    assert given.frontend == "mel"
    assert given.frontend_settings == {
        **{"min_freq": 50.5, "compression": "log", "learn_filters": True},
    }
    assert config("--group-by", "none").group_by == "none"


@pytest.mark.parametrize(
    "argv, name, settings",
    [
        ([], "leaf", {"compression": "log"}),
        (["--frontend", "leaf"], "leaf", {"compression": "log"}),
        (["--frontend", "mel"], "mel", {}),
        (["--frontend", "mel:min_freq=9"], "mel", {"min_freq": 9}),
        (
            ["--set", "frontend.preemp=true"],
            *("leaf", {"compression": "log", "preemp": True}),
        ),
        (["--set", "frontend.compression=pcen"], "leaf", {"compression": "pcen"}),
    ],
)
def test_settings_of_a_frontend_in_a_file_are_of_that_frontend(
    argv, name, settings, tmp_path
):
    """Options change them one by one; another frontend has none of them."""
    file = tmp_path / "config.json"
    file.write_text('{"frontend_settings": {"compression": "log"}}')
    found = config("--config", str(file), *argv)
    assert (found.frontend, found.frontend_settings) == (name, settings)


def test_paths_hold_from_any_folder():
    given = parse("fit", "--task", "folder:a:b", "--output", "r", "--data-dir", "~/d")
    found = arguments.fit_config(given)
    assert found.task == f"folder:{os.getcwd()}/a:b"
    assert found.data_dir == os.path.expanduser("~/d")
    assert config("--data-dir", "gs://bucket/d").data_dir == "gs://bucket/d"


@pytest.mark.parametrize(
    "argv, message",
    [
        (["--epochs", "0"], "--epochs: must be at least 1. Received: 0"),
        (
            ["--epochs", "2.5"],
            "--epochs: must be a whole number or none. Received: 2.5",
        ),
        (["--window-seconds", "nan"], "--window-seconds: must be above 0"),
        (["--window-seconds", "long"], "must be a number. Received: long"),
        (["--sample-rate", "0"], "--sample-rate: must be from 1 to 655350 Hz"),
        (["--learning-rate", "inf"], "--learning-rate: must be a finite number"),
        (["--seed", "-1"], "--seed: must be from 0 to 4294967295. Received: -1"),
        (["--frontend", "Leaf"], "--frontend: must be one of leaf, leaf_exact, "),
        (["--frontend", "leaf:log"], "must be NAME:SETTING=VALUE, such as leaf:com"),
        (["--frontend", "leaf:a=1:a=2"], "must have each setting once. Received: l"),
        (["--set", "epochs=3"], "--set: must be frontend.NAME=VALUE, such as front"),
        (["--set", "frontend.preemp"], "=log. Received: frontend.preemp"),
        (["--set", "frontend.n_filters=8"], "can't give n_filters: use --n-filters"),
        (["--set", "frontend.min_freq=nan"], "must be a finite number. Received: nan"),
        (["--encoder", "huge"], "must be one of small, "),
        (["--pace", "1"], "unrecognized arguments: --pace 1"),
        (["--speed", "1"], "--speed: must be LOW,HIGH with LOW <= HIGH, from 0.25"),
        (["--gain", "-6"], "--gain: must be LOW,HIGH with LOW <= HIGH, from -120"),
        (["--noise-dir-share", "0"], "must be above 0 and at most 1. Received: 0"),
        (["--group-pattern", "(a"], "'(a': missing ), unterminated subpattern at"),
        (["--group-pattern", "a"], "such as ([^/]+)__. Received: 'a', without paren"),
        (["--group-by", "folder"], "invalid choice: 'folder' (choose from "),
        (["--folds", "group"], "from 2, or groups. Received: group (did you mean gro"),
        (["--folds", "1"], "must be a whole number from 2, or groups. Received: 1"),
        (["--windowsec", "2"], "(did you mean --window-seconds?); see python -m "),
        (["--windowsec", "2"], "python -m training fit --help"),
        (["--frontend", "laef"], "(did you mean leaf?)"),
        (["--encoder", "smal"], "Received: smal (did you mean small?)"),
        (["--cache", "memry"], "(did you mean memory?)"),
        (["--preset", "papr"], "(did you mean paper?)"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(argv, message, capsys):
    with pytest.raises(SystemExit) as exit:
        config(*argv)
    assert exit.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert message in printed.err
    assert "--help" in printed.err


@pytest.mark.parametrize("argv", [[], ["fit"], ["evaluate"], ["fly"]])
def test_what_is_missing_is_one_line(argv, capsys):
    with pytest.raises(SystemExit) as exit:
        parse(*argv)
    assert exit.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_help_tells_each_default_once(capsys):
    with pytest.raises(SystemExit):
        parse("fit", "--help")
    text = " ".join(capsys.readouterr().out.split())
    assert "(default: 0.003)" in text
    assert "==SUPPRESS==" not in text
    assert "None" not in text


def help_of(command, capsys):
    with pytest.raises(SystemExit):
        parse(command, "--help")
    return capsys.readouterr().out


def test_help_begins_with_what_is_chosen_first(capsys):
    text = help_of("fit", capsys).partition("\noptions:")[2]
    titles = re.findall(r"^(\S.*):$", text, re.MULTILINE)
    assert titles == [
        *("training", "model", "data", "columns of a table"),
        *("balance of tasks and classes", "augmentation", "devices", "Examples"),
    ]
    first = ("--task", "--output", "--epochs", "--frontend", "--cache", "--coordinator")
    places = [text.index(f"\n  {option} ") for option in first]
    assert places == sorted(places)


@pytest.mark.parametrize("command", ["fit", "evaluate", "compare", "adapt"])
def test_the_examples_of_help_can_be_typed(command, capsys, monkeypatch):
    monkeypatch.setattr(arguments, "inherited_settings", lambda run: {})
    text = help_of(command, capsys).partition("Example")[2]
    examples = re.findall(r"^    python -m training (.*)$", text, re.MULTILINE)
    assert examples
    for example in examples:
        given = parse(*example.split())
        assert given.command == command
        if command == "fit":
            get_tasks(arguments.fit_config(given))


def test_frontends_that_are_misspelled_get_a_hint(capsys):
    with pytest.raises(SystemExit):
        parse("compare", "--task", "t", "--output", "o", "--frontends", "mel,laef")
    assert "Received: laef (did you mean leaf?)" in capsys.readouterr().err


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_config_that_options_change(name):
    preset = config("--preset", name)
    settings = preset.to_dict()
    assert all(getattr(preset, key) == PRESETS[name][key] for key in PRESETS[name])
    changed = config("--preset", name, "--seed", "3").to_dict()
    assert changed == {**settings, "seed": 3}


def test_the_preset_for_few_clips_makes_2000_steps_of_any_number():
    preset = config("--preset", "few_clips")
    assert {preset.n_epochs * preset.steps_in_epoch(n) for n in (9, 240, 9999)} == {
        2000
    }
    assert not preset.spec_augment
