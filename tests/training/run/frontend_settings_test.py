import re

import pytest

import leaf_tf
from leaf_files.errors import UserError
from tests.training.runs import make_head
from training.run.frontend_settings import settings_of_frontend
from training.run.models import FRONTENDS, build_classifier, check_model
from training.settings.config import FitConfig


def config(frontend, encoder="small", **settings):
    return FitConfig(
        "t",
        frontend=frontend,
        encoder=encoder,
        n_filters=8,
        sample_rate=8000,
        frontend_settings=settings,
    )


@pytest.mark.parametrize("name", FRONTENDS)
def test_each_frontend_says_what_it_takes(name):
    """Arguments of all frontends, of none of the run's other settings, of no layer."""
    found = settings_of_frontend(FRONTENDS[name])
    assert {"window_len", "min_freq", "max_freq", "mean_var_norm"} <= set(found)
    assert not {"n_filters", "sample_rate", "spec_augment", "name", "kwargs"} & set(
        found
    )
    assert ("compression" in found) == (name != "leaf_fixed_pcen")


def test_the_frontend_is_made_with_them():
    given = config(
        "leaf", compression="log", initial_filters="linear", min_freq=100, preemp=True
    )
    frontend = build_classifier(given, (make_head(2),)).get_layer("frontend")
    made = frontend.get_config()
    assert {name: made[name] for name in given.frontend_settings} == {
        **given.frontend_settings,
    }
    assert isinstance(frontend.compressing, leaf_tf.layers.LogCompression)
    bare = build_classifier(config("leaf", compression="none"), (make_head(2),))
    assert bare.get_layer("frontend").compressing is None


def test_the_encoder_fits_a_compression_that_makes_more_channels():
    given = config("leaf", compression="multi_rate_pcen")
    check_model(given)
    model = build_classifier(given, (make_head(2),))
    assert model.get_layer("frontend").output.shape[-1] == 24


@pytest.mark.parametrize(
    "frontend, settings, message",
    [
        (
            *("mel", {"preemp": True}),
            "settings of the frontend mel must be of compression, learn_filters, "
            "max_freq, mean_var_norm, min_freq, window_len, window_stride. Received: "
            "preemp",
        ),
        (
            *("leaf", {"compresion": "log"}),
            "Received: compresion (did you mean compression?)",
        ),
        ("leaf_fixed_pcen", {"compression": "log"}, "window_stride. Received: compres"),
        (
            *("leaf", {"preemp": "yes"}),
            "the setting preemp of the frontend leaf must be true or false. Received: "
            "yes",
        ),
        ("leaf", {"preemp": 1}, "must be true or false. Received: 1"),
        ("leaf", {"min_freq": True}, "must be a number. Received: true"),
        ("leaf", {"max_freq": "high"}, "must be a number or none. Received: high"),
        ("leaf", {"min_freq": None}, "must be a number. Received: none"),
        ("leaf", {"compression": 3}, "must be text. Received: 3"),
        ("efficient_leaf", {"n_groups": 2.5}, "must be a whole number. Received: 2.5"),
        (
            *("leaf", {"compression": "lgo"}),
            "the frontend leaf can't be made with 8 filters at 8000 Hz and "
            "compression=lgo: `compression` must be one of ('pcen', ",
        ),
        ("leaf", {"compression": "lgo"}, "Received: 'lgo' (did you mean log?)"),
        ("mel", {"min_freq": 5000}, "and min_freq=5000: `max_freq` must be greater"),
    ],
)
def test_what_a_frontend_does_not_take_is_one_line(frontend, settings, message):
    with pytest.raises(UserError, match=re.escape(message)) as error:
        check_model(config(frontend, **settings))
    assert "\n" not in str(error.value)
