import dataclasses
import json
import math

import pytest

from leaf_files.errors import UserError
from training.settings.config import FitConfig, read_settings


def test_settings_survive_a_file(tmp_path):
    config = FitConfig(
        task="folder:größe", steps_per_epoch=7, window_seconds=0.3, data_dir="data"
    )
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config.to_dict()), encoding="utf-8")
    assert FitConfig.read(path) == config
    assert dataclasses.replace(config, seed=1) != config


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_settings_that_windows_wrote(tmp_path, encoding):
    config = FitConfig("folder:größe")
    path = tmp_path / "config.json"
    text = json.dumps(config.to_dict(), ensure_ascii=False, indent=2)
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    assert FitConfig.read(path) == config


def test_settings_of_a_frontend_survive_a_file_as_an_object(tmp_path):
    own = {"compression": "log", "preemp": True, "max_freq": "none", "min_freq": 60.5}
    config = FitConfig("synthetic", frontend_settings=own)
    assert config.frontend_settings == {**own, "max_freq": None}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config.to_dict()))
    assert json.loads(path.read_text())["frontend_settings"]["max_freq"] is None
    read = FitConfig.read(path)
    assert read == config and hash(read) == hash(config)
    own["preemp"] = False  # the config has its own
    assert config.frontend_settings["preemp"] is True
    assert FitConfig("a").frontend_settings is not FitConfig("a").frontend_settings


def test_a_window_in_samples_is_rounded_once():
    assert FitConfig("t", window_seconds=0.1, sample_rate=22050).window_samples == 2205
    assert FitConfig("t", window_seconds=0.3, sample_rate=11).window_samples == 3
    assert FitConfig("t", window_seconds=1e-9).window_samples == 1


def test_an_epoch_is_one_pass():
    asked = FitConfig("t", batch_size=32, epochs=5)
    assert (asked.steps_in_epoch(65), asked.steps_in_epoch(64)) == (3, 2)
    assert asked.n_epochs == 5
    assert FitConfig("t", steps_per_epoch=7, epochs=5).steps_in_epoch(64) == 7


def test_few_clips_have_steps_in_plenty_by_default():
    """An epoch is one pass from the number of clips on that makes 50 batches."""
    default = FitConfig("t", batch_size=32)
    steps = [default.steps_in_epoch(n) for n in (1, 1600, 1601, 3200)]
    assert steps == [50, 50, 51, 100]
    assert default.n_epochs == 20
    assert FitConfig("t", steps_per_epoch=7).steps_in_epoch(64) == 7


@pytest.mark.parametrize(
    "setting, message",
    [
        ({"epochs": 0}, "`epochs` must be at least 1. Received: 0"),
        ({"n_filters": -1}, "`n_filters` must be at least 1. Received: -1"),
        ({"batch_size": "8"}, "`batch_size` must be int. Received: '8'"),
        ({"steps_per_epoch": 0}, "`steps_per_epoch` must be at least 1"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be a finite number"),
        ({"learning_rate": float("inf")}, "`learning_rate` must be a finite number"),
        ({"window_seconds": float("nan")}, "`window_seconds` must be above 0"),
        ({"window_seconds": 3601}, "at most 3600 seconds"),
        ({"sample_rate": 65537}, "a multiple of 10. Received: 65537"),
        ({"sample_rate": 655360}, "from 1 to 655350 Hz"),
        ({"seed": -1}, "`seed` must be from 0 to 4294967295"),
        ({"seed": 2**32}, "`seed` must be from 0 to 4294967295"),
        ({"task": 5}, "`task` must be str. Received: 5"),
        ({"data_dir": 5}, "`data_dir` must be str | None. Received: 5"),
        ({"frontend": "laef"}, "mel_pcen. Received: laef (did you mean leaf?)"),
        ({"frontend_settings": 5}, "`frontend_settings` must be {name: number, true"),
        ({"frontend_settings": {"a": [1]}}, "or text}. Received: {'a': [1]}"),
        ({"frontend_settings": {"a": math.inf}}, "or text}. Received: {'a': inf}"),
        ({"frontend_settings": {"sample_rate": 9}}, "sample_rate: use --sample-rate."),
        ({"schedule": "linear"}, "`schedule` must be one of cosine, constant. Rec"),
        ({"rt60": [0.2, 0.4]}, "`rt60` is of use with `synthetic_rirs` only; give"),
        ({"rir_share": 0.2}, "is of use with `rir_dir` or `synthetic_rirs` only"),
        ({"noise_dir": "n", "noise_dir_snr": [5, math.inf]}, "`noise_dir_snr` must be"),
        ({"noise_snr": [9, 5]}, "`noise_snr` must be LOW,HIGH with LOW <= HIGH, in"),
    ],
)
def test_a_setting_out_of_range_is_named(setting, message):
    with pytest.raises(ValueError) as error:
        FitConfig(**{"task": "synthetic", **setting})
    assert message in str(error.value)


@pytest.mark.parametrize("rate", [1, 65535, 65540, 250000, 655350])
def test_rates_that_flac_can_hold(rate, tmp_path):
    from leaf_files.clips import read_clip, write_clip

    FitConfig("synthetic", sample_rate=rate)
    write_clip(tmp_path / "clip.flac", [0.5, -0.5], rate)
    assert read_clip(tmp_path / "clip.flac")[1] == rate


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        b'{"task": "synthetic", "model_type": "bert"}',
        b'{"task": "synthetic", "window_seconds": NaN}',
        b'{"task": "synthetic", "sample_rate": "fast"}',
    ],
)
def test_a_file_that_holds_no_settings_is_one_line(tmp_path, content):
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        FitConfig.read(path)
    assert str(error.value).startswith(f"cannot read the settings in {path}: ")


def test_a_setting_that_does_not_exist_is_named(tmp_path):
    path = tmp_path / "config.json"
    path.write_text('{"task": "synthetic", "epoch": 3}')
    with pytest.raises(UserError, match="there is no setting 'epoch'; .*, epochs, "):
        read_settings(path)


def test_a_setting_that_is_misspelled_gets_a_hint(tmp_path):
    path = tmp_path / "config.json"
    path.write_text('{"task": "synthetic", "bach_size": 3}')
    with pytest.raises(UserError, match=r"did you mean batch_size\?\); name a folder"):
        read_settings(path)


def test_settings_that_an_older_version_wrote(tmp_path):
    """Those that it didn't know are the defaults."""
    path = tmp_path / "config.json"
    path.write_text(
        '{"task": "a,b", "task_weights": [1, 2.5], "noise_snr": [5, 30], "epochs": 20}'
    )
    expected = FitConfig("a,b", task_weights=(1, 2.5), noise_snr=(5, 30), epochs=20)
    assert FitConfig.read(path) == expected
    assert expected.steps_in_epoch(64) == 2  # as that version had it


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        FitConfig.read(tmp_path / "config.json")
