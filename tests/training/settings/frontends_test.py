import pytest

from training.settings.frontends import (
    compared_settings,
    folder_name,
    overridden,
    parse_frontend,
    parse_setting,
    rewritten,
    written,
)


@pytest.mark.parametrize(
    "text, value",
    [
        ("1", 1),
        ("-2.5e-3", -0.0025),
        ("1e2", 100),
        ("True", True),
        ("false", False),
        ("none", None),
        ("log", "log"),
        (" log1p ", "log1p"),
    ],
)
def test_the_text_of_a_value_is_read(text, value):
    name, found = parse_setting(f"frontend.a={text}")
    assert name == "a"
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    "text",
    [
        "leaf",
        "leaf:compression=log:min_freq=100",
        "mel:max_freq=none:min_freq=62.5:window_len=1e-07",
        "leaf:learn_filters=false:preemp=true",
    ],
)
def test_a_frontend_is_written_as_it_was_read(text):
    assert written(*parse_frontend(text)) == text


def test_the_order_of_settings_does_not_matter():
    one, other = "leaf:b=1:a=x", "leaf:a=x:b=1.0"
    assert parse_frontend(one) == parse_frontend(other)
    assert written(*parse_frontend(one)) == "leaf:a=x:b=1"


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "must be one of leaf, .*, mel_pcen. Received: $"),
        ("mle:a=1", r"Received: mle \(did you mean mel\?\)"),
        ("mel:", "must be NAME:SETTING=VALUE, such as leaf:compression=log. .*: mel:$"),
        ("mel:a", "Received: mel:a"),
        ("mel:a=", "Received: mel:a="),
        ("mel:1a=2", "Received: mel:1a=2"),
        ("mel:sample_rate=8000", "can't give sample_rate: use --sample-rate. Rec"),
        ("mel:spec_augment=true", "can't give spec_augment: use --spec-augment"),
    ],
)
def test_a_frontend_that_can_not_be_read_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse_frontend(text)


def test_a_number_of_filters_may_be_compared():
    text = "mel:n_filters=16:compression=log:max_freq=none"
    assert compared_settings(text) == {
        "frontend": "mel",
        "frontend_settings": {"compression": "log", "max_freq": None},
        "n_filters": 16,
    }
    assert rewritten(text) == "mel:compression=log:max_freq=none:n_filters=16"
    assert rewritten(rewritten(text)) == rewritten(text)
    # A single frontend has an option for it.
    with pytest.raises(ValueError, match="can't give n_filters: use --n-filters"):
        parse_frontend(text)


@pytest.mark.parametrize(
    "text, message",
    [
        ("leaf:n_filters=0", "a whole number, at least 1. Received: leaf:n_filters=0"),
        ("leaf:n_filters=2.5", "a whole number"),
        ("leaf:n_filters=true", "a whole number"),
        ("leaf:n_filters=none", "a whole number"),
        ("leaf:n_filters=8:n_filters=16", "each setting once"),
        ("leaf:sample_rate=8000", "can't give sample_rate: use --sample-rate"),
    ],
)
def test_what_can_not_be_compared_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        compared_settings(text)


def test_a_folder_is_named_as_any_file_system_allows():
    assert folder_name("leaf") == "leaf"
    strange = written("leaf", {"a": 'x/y\\z"*?<>|', "b": -1.5})
    assert folder_name(strange) == "leaf-a-x-y-z-b--1.5"


def test_what_is_no_mapping_is_left_to_the_config():
    assert overridden({"frontend_settings": 5}, {"seed": 1}) == {
        **{"frontend_settings": 5, "seed": 1},
    }
