"""Plans that are not made again: shipped ones, and those of a folder."""

import json

import numpy as np
import pytest

from benchmarks.plans import SETTINGS, start_of
from leaf_tf.dsp import multirate
from leaf_tf.dsp.multirate import kept
from leaf_tf.dsp.multirate.kept import find_plan

BANK = [0.1, 0.9], [60.0, 8.0], [0.4, 0.4], 401, 401, 160, 3e-4
QUICK = [s for s in SETTINGS if s.n_filters <= 40 and s.sample_rate <= 16000]


@pytest.fixture
def nothing_is_planned(monkeypatch):
    def fail(*_):
        raise AssertionError("a plan was made that was known")

    monkeypatch.setattr(kept, "plan_multirate", fail)


@pytest.mark.parametrize("plan", kept.shipped_plans(), ids=lambda p: p.n_filters)
def test_shipped_plans_meet_their_tolerance(plan):
    allowed = multirate.allowed_errors(plan.sigmas, plan.kernel_size, plan.tolerance)
    assert np.all(multirate.predicted_errors(plan) <= allowed)


@pytest.mark.parametrize("setting", QUICK, ids=str)
def test_shipped_plans_are_those_made_anew(setting):
    check_shipped(setting)


@pytest.mark.slow
@pytest.mark.parametrize("setting", sorted({*SETTINGS} - {*QUICK}), ids=str)
def test_shipped_plans_of_many_filters_are_those_made_anew(setting):
    check_shipped(setting)


def check_shipped(setting):
    start = start_of(setting)
    shipped = find_plan(**start)
    made = multirate.plan_multirate(**start)
    # Two ways that cost the same may change places with a processor's rounding.
    assert shipped.multiplications_per_sample == pytest.approx(
        made.multiplications_per_sample, rel=0.01
    )


def test_a_shipped_plan_takes_the_last_digits_of_the_filters(nothing_is_planned):
    start = start_of(QUICK[-1])
    start["sigmas"] = [sigma * (1.0 + 1e-7) for sigma in start["sigmas"]]
    assert find_plan(**start).sigmas == tuple(start["sigmas"])


def test_a_plan_is_made_once(tmp_path, request):
    made = find_plan(*BANK, tmp_path)
    request.getfixturevalue("nothing_is_planned")
    assert find_plan(*BANK, tmp_path) == made


@pytest.mark.parametrize("damage", ["", "[]", '{"groups": []}', "\0\0"])
def test_what_cant_be_read_is_made_again(tmp_path, damage):
    made = find_plan(*BANK, tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_text()
    file.write_text(damage)
    assert find_plan(*BANK, tmp_path) == made
    assert file.read_text() == whole


def test_a_plan_of_other_filters_is_not_taken(tmp_path):
    made = find_plan(*BANK, tmp_path)
    (file,) = tmp_path.iterdir()
    config = json.loads(file.read_text())
    file.write_text(json.dumps({**config, "sigmas": [60.0, 9.0]}))
    assert find_plan(*BANK, tmp_path) == made


def test_a_folder_that_cant_be_written_is_no_harm(tmp_path):
    (tmp_path / "file").write_text("")
    assert find_plan(*BANK, tmp_path / "file") == multirate.plan_multirate(*BANK)
