import keras
import numpy as np
import pytest

from tests.training.runs import make_head
from training.run.losses import FocalLoss, make_loss
from training.run.models import build_classifier, compile_classifier
from training.settings.config import FitConfig


def made_up(seed=0):
    """(one-hot targets, multi-hot targets, logits), (6, 4) each."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (6, 4)).astype(np.float32)
    one_hot = np.eye(4, dtype=np.float32)[random.integers(0, 4, 6)]
    multi_hot = (random.random((6, 4)) < 0.4).astype(np.float32)
    return one_hot, multi_hot, logits


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_values_are_those_of_keras(gamma, smoothing):
    one_hot, multi_hot, logits = made_up()
    settings = {"gamma": gamma, "label_smoothing": smoothing, "from_logits": True}
    theirs = keras.losses.CategoricalFocalCrossentropy(alpha=1.0, **settings)
    ours = FocalLoss(False, gamma, smoothing)
    assert float(ours(one_hot, logits)) == pytest.approx(
        float(theirs(one_hot, logits)), rel=1e-5
    )
    theirs = keras.losses.BinaryFocalCrossentropy(**settings)
    ours = FocalLoss(True, gamma, smoothing)
    assert float(ours(multi_hot, logits)) == pytest.approx(
        float(theirs(multi_hot, logits)), rel=1e-5
    )


def test_without_gamma_it_is_cross_entropy():
    one_hot, multi_hot, logits = made_up()
    for multi_label, targets in ((False, one_hot), (True, multi_hot)):
        head = make_head(4, activation="sigmoid" if multi_label else "softmax")
        plain = make_loss(head, FitConfig("t", label_smoothing=0.2))
        focal = make_loss(
            head, FitConfig("t", loss="focal", focal_gamma=0.0, label_smoothing=0.2)
        )
        assert float(focal(targets, logits)) == pytest.approx(
            float(plain(targets, logits)), rel=1e-5
        )


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_what_seems_impossible_has_a_gradient_and_what_is_certain_a_finite_one(
    multi_label, gamma
):
    import tensorflow as tf

    loss = FocalLoss(multi_label, gamma)
    for sign, least, most in ((-1, 0.2, 10.0), (1, 0.0, 1e-3)):
        logits = tf.constant([[sign * 40.0, -sign * 40.0]])
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = loss(tf.constant([[1.0, 0.0]]), logits)
        [slope] = tape.gradient(value, logits).numpy()[:, 0]
        assert least <= abs(slope) <= most


def test_it_survives_a_checkpoint(tmp_path):
    model = keras.Sequential([keras.Input([2]), keras.layers.Dense(3)])
    model.compile("sgd", FocalLoss(True, gamma=1.5, label_smoothing=0.1))
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras").loss
    assert again.get_config() == model.loss.get_config()
    assert (again.multi_label, again.gamma, again.label_smoothing) == (True, 1.5, 0.1)


@pytest.mark.parametrize(
    "settings",
    [{"loss": "focal"}, {"label_smoothing": 0.1}, {"loss": "focal", "focal_gamma": 1}],
)
def test_a_model_is_compiled_with_it(settings):
    config = FitConfig("t", frontend="mel", n_filters=8, sample_rate=8000, **settings)
    head = make_head(3)
    model = build_classifier(config, (head,))
    compile_classifier(model, (head,), config, steps=10)
    waveform = np.random.default_rng(0).uniform(-1, 1, (4, 900)).astype(np.float32)
    targets = np.eye(3, dtype=np.float32)[[0, 1, 2, 1]]
    found = model.evaluate(waveform, targets, verbose=0, return_dict=True)["loss"]
    expected = make_loss(head, config)(targets, model(waveform))
    assert found == pytest.approx(float(expected), rel=1e-5)


def test_gamma_without_the_loss_is_refused():
    with pytest.raises(ValueError, match="of use with the loss focal only"):
        FitConfig("t", focal_gamma=3.0)
    with pytest.raises(ValueError, match="`label_smoothing` must be at least 0"):
        FitConfig("t", label_smoothing=1.0)
    with pytest.raises(ValueError, match="did you mean focal"):
        FitConfig("t", loss="focl")
