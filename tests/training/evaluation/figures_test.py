import warnings

import matplotlib.image
import numpy as np
import pytest

import leaf_tf
from training.evaluation import figures

HISTORY = [
    {"epoch": 1, "loss": 3.0, "accuracy": 0.1, "val_loss": 2.5, "val_accuracy": 0.2},
    {"epoch": 2, "loss": 2.0, "accuracy": 0.4, "val_loss": 2.6, "val_accuracy": 0.3},
    {"epoch": 3, "loss": 1.0, "accuracy": 0.7, "val_loss": 1.5, "val_accuracy": 0.6},
]


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def images(figure):
    """The drawn features, by title."""
    return {
        axes.get_title(): axes.get_images()[0].get_array()
        for axes in figure.axes
        if axes.get_images()
    }


def test_learning_curves_hold_the_history():
    figure = figures.learning_curves(HISTORY)
    for axes, metric in zip(figure.axes, ("loss", "accuracy")):
        assert axes.get_ylabel() == metric
        assert legend(axes) == ["training windows", "validation clips"]
        for line, name in zip(axes.lines, (metric, f"val_{metric}")):
            np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
            np.testing.assert_array_equal(
                line.get_ydata(), [row[name] for row in HISTORY]
            )


def test_one_epoch_can_be_drawn(tmp_path):
    figures.learning_curves(HISTORY[:1]).savefig(tmp_path / "x.png")


def test_the_confusion_matrix_holds_the_counts():
    counts = np.array([[5, 1, 0], [0, 3, 0], [2, 0, 4]])
    figure = figures.confusion_matrix(counts, ("a", "b", "c"))
    axes = figure.axes[0]
    np.testing.assert_array_equal(axes.get_images()[0].get_array(), counts)
    assert axes.get_title() == "12 of 15 test clips right"
    written = {text.get_position(): text.get_text() for text in axes.texts}
    assert written == {  # (column, row)
        (0, 0): "5",
        (1, 0): "1",
        (1, 1): "3",
        (0, 2): "2",
        (2, 2): "4",
    }
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]


def test_scores_of_classes_are_drawn_with_their_intervals():
    def of_class(recall, low, precision):
        ends = None if low is None else [low, recall + 0.1]
        return {
            "recall": recall,
            "average_precision": precision,
            "n_examples": 5,
            "intervals": {"recall": ends, "average_precision": None},
        }

    per_class = {"a": of_class(0.5, 0.3, 0.7), "b": of_class(None, None, None)}
    figure = figures.class_scores({"per_class": per_class, "intervals_over": "groups"})
    axes = figure.axes[0]
    assert axes.get_xlabel().endswith("intervals over groups")
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["a (5)", "b (5)"]
    drawn = [list(line.get_xdata()) for line in axes.lines if len(line.get_xdata())]
    assert drawn == [[0.3, 0.6], [0.5], [0.7]]
    del per_class["a"]
    figure = figures.class_scores({"per_class": per_class, "intervals_over": "groups"})
    assert figure.axes[0].get_xlabel() == "on the test clips"


@pytest.mark.parametrize("label", ["$x^$", "a_b$", "ключ 鍵", "_hidden", "%d {} \\"])
def test_any_label_can_be_drawn(label, tmp_path):
    counts = np.eye(2, dtype=int)
    features = figures.features_beside_mel(
        leaf_tf.MelFilterbanks(4, 8000), np.zeros(800, np.float32), 8000, label
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figures.confusion_matrix(counts, (label, "b")).savefig(tmp_path / "c.png")
        features.savefig(tmp_path / "f.png")


def test_leaf_is_drawn_beside_mel():
    waveform = np.random.default_rng(0).uniform(-1, 1, 1600).astype(np.float32)
    leaf = leaf_tf.Leaf(6, 8000)
    figure = figures.features_beside_mel(leaf, waveform, 8000, "dog")
    assert "'dog'" in figure.axes[0].get_title()
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), waveform)
    drawn = images(figure)
    assert list(drawn) == ["Leaf (trained)", "log-mel"]
    mel = leaf_tf.MelFilterbanks(6, 8000)
    for array, layer in zip(drawn.values(), (leaf, mel)):
        np.testing.assert_allclose(array, np.asarray(layer(waveform[None]))[0].T)


def channel_labels(frontend):
    """(label of the axis, {row: Hz that is written at it}) of its features."""
    waveform = np.zeros(1600, np.float32)
    figure = figures.features_beside_mel(frontend, waveform, 8000, "dog")
    axes = next(axes for axes in figure.axes if axes.get_images())
    texts = [label.get_text() for label in axes.get_yticklabels()]
    return axes.get_ylabel(), dict(zip(axes.get_yticks(), texts))


def test_channels_are_labelled_with_their_center_frequencies():
    leaf = leaf_tf.Leaf(3, 8000)
    leaf.build((None, None))
    leaf.filtering.center_freqs.assign(np.pi * np.array([0.05, 0.25, 0.5]))
    assert channel_labels(leaf) == (
        "center frequency, Hz",
        {0: "200", 1: "1000", 2: "2000"},
    )
    # The triangle of one band peaks in the middle of its edges, in mel.
    peak = 700 * (np.sqrt((1 + 60 / 700) * (1 + 3900 / 700)) - 1)
    for mel in (
        leaf_tf.MelFilterbanks(1, 8000),
        leaf_tf.MelFilterbanks(1, 8000, compression="pcen"),
    ):
        assert channel_labels(mel) == ("center frequency, Hz", {0: f"{peak:.0f}"})
    label, _ = channel_labels(leaf_tf.Wavegram(4, 8000))
    assert label == "filter"


def test_log_mel_is_drawn_once_but_beside_other_compressions():
    waveform = np.random.default_rng(0).uniform(-1, 1, 1600).astype(np.float32)

    def drawn(**settings):
        mel = leaf_tf.MelFilterbanks(6, 8000, name="frontend", **settings)
        return list(images(figures.features_beside_mel(mel, waveform, 8000, "dog")))

    assert drawn() == ["log-mel"]
    assert drawn(compression="pcen") == ["MelFilterbanks (trained)", "log-mel"]


def test_the_pictures_of_a_run_show_something(finished):
    for path in (finished.path / "figures").iterdir():
        pixels = matplotlib.image.imread(path)
        assert pixels.shape[0] > 300 and pixels.shape[1] > 300
        assert pixels[..., :3].std() > 0.05
