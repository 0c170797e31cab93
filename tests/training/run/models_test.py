import keras
import numpy as np
import pytest

from leaf_files.errors import UserError
from tests.training.runs import make_head
from training.run.models import (
    build_classifier,
    check_model,
    compile_classifier,
    load_classifier,
    without_optimizer,
)
from training.settings.config import FitConfig

CONFIG = FitConfig("t", frontend="mel", n_filters=8, sample_rate=8000)
HEADS = (make_head(3),)


@pytest.fixture(scope="module")
def model():
    return build_classifier(CONFIG, HEADS)


def test_any_length_gives_logits(model):
    assert model.output_shape == (None, 3)
    for samples in (1, 799, 8000):
        assert model(np.zeros((2, samples), np.float32)).shape == (2, 3)


@pytest.mark.parametrize("frontend", ["mel", "leaf"])
def test_one_filter_is_enough(frontend):
    config = FitConfig("t", frontend=frontend, n_filters=1, sample_rate=8000)
    assert build_classifier(config, HEADS)(np.zeros((1, 400), np.float32)).shape == (
        1,
        3,
    )


@pytest.mark.parametrize("frontend", ["mel", "leaf"])
@pytest.mark.parametrize("sample_rate", [1, 99, 100])
def test_what_the_frontend_refuses_is_a_users_mistake(frontend, sample_rate):
    config = FitConfig("t", frontend=frontend, sample_rate=sample_rate)
    for call in (check_model, lambda config: build_classifier(config, HEADS)):
        with pytest.raises(UserError) as error:
            call(config)
        assert f"at {sample_rate} Hz: `" in str(error.value)


def test_the_rate_falls_as_a_cosine_to_zero(model):
    compile_classifier(model, HEADS, CONFIG, steps=100)
    rates = [float(model.optimizer._learning_rate(step)) for step in (0, 25, 50, 100)]
    expected = 3e-3 * 0.5 * (1 + np.cos(np.pi * np.array([0, 0.25, 0.5, 1])))
    np.testing.assert_allclose(rates, expected, rtol=1e-5, atol=1e-12)


def test_the_loss_is_cross_entropy_of_logits(model):
    compile_classifier(model, HEADS, CONFIG, steps=10)
    random = np.random.default_rng(0)
    waveform = random.uniform(-1, 1, (4, 2000)).astype(np.float32)
    labels = np.array([0, 1, 2, 1])
    logits = np.asarray(model(waveform), np.float64)
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    expected = -log_p[range(4), labels].mean()
    found = model.evaluate(waveform, labels, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(expected, rel=1e-5)
    assert found["accuracy"] == np.mean(logits.argmax(axis=1) == labels)


def test_the_bare_copy_predicts_the_same_and_holds_no_optimizer(model, tmp_path):
    compile_classifier(model, HEADS, CONFIG, steps=10)
    model.optimizer.build(model.trainable_variables)
    full = tmp_path / "full.keras"
    model.save(full)
    without_optimizer(full, HEADS, CONFIG).save(tmp_path / "bare.keras")
    bare = load_classifier(tmp_path / "bare.keras", HEADS)
    waveform = np.random.default_rng(0).uniform(-1, 1, (2, 900)).astype(np.float32)
    np.testing.assert_array_equal(bare(waveform), model(waveform))
    assert not keras.models.load_model(tmp_path / "bare.keras").compiled
    sizes = [(tmp_path / f"{name}.keras").stat().st_size for name in ("bare", "full")]
    assert sizes[0] < 0.6 * sizes[1]


def test_damage_and_other_labels_are_one_line(model, tmp_path):
    path = tmp_path / "model.keras"
    model.save(path)
    with pytest.raises(UserError, match="best epoch, .*no.keras, doesn't load"):
        without_optimizer(tmp_path / "no.keras", HEADS, CONFIG)
    with pytest.raises(UserError, match="tells 3 classes apart.*labels.*are 4"):
        load_classifier(path, (make_head(4),))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="model.keras is damaged"):
        load_classifier(path, HEADS)
    path.write_bytes(whole[:2000] + bytes(4000) + whole[6000:])
    with pytest.raises(UserError, match="model.keras doesn't load") as error:
        load_classifier(path, HEADS)
    assert "\n" not in str(error.value)
