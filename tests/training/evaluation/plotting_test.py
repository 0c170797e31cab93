import dataclasses
import json
import shutil

import matplotlib.image
import pytest
from keras import ops

from leaf_files.errors import UserError
from leaf_tf import visualize
from leaf_tf.dsp import units
from tests.training.runs import SAMPLE_RATE, make_head, small_config
from training.evaluation.plotting import plot
from training.run.folder import RunFolder
from training.run.models import build_classifier

OF_LEAF = (
    "filter_responses",
    "filters",
    "pooling_widths",
    "pcen_parameters",
    "drift",
)
HEADS = (make_head(2),)
HISTORY = (
    "epoch,accuracy,loss,val_accuracy,val_loss,learning_rate,seconds\n"
    "1,0.5,2.0,0.4,2.5,0.001,9.5\n"
    "2,0.7,1.0,0.6,1.5,0.0,9.1\n"
)


def write_run(path, frontend):
    """A run of which only what `plot` reads is there; returns it and its frontend."""
    config = small_config("clips", frontend=frontend)
    model = build_classifier(config, HEADS)
    layer = model.get_layer("frontend")
    if frontend == "leaf":
        centers = layer.filtering.center_freqs
        centers.assign(
            ops.convert_to_numpy(centers) + units.hz_to_radians(100.0, SAMPLE_RATE)
        )
    if frontend == "tfbanks":  # the highest filter first
        kernel = ops.convert_to_numpy(layer.filtering.kernel)
        layer.filtering.kernel.assign(kernel[:, :, ::-1])
    run = RunFolder(path)
    path.mkdir()
    run.config.write_text(json.dumps(config.to_dict()))
    run.write_heads(HEADS)
    run.history.write_text(HISTORY)
    model.save(run.model)
    return run, layer


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    names = ("leaf", "mel", "tfbanks")
    return {name: write_run(folder / name, name) for name in names}


@pytest.fixture
def leaf(originals, tmp_path):
    """A run that may be damaged, and its frontend."""
    run, layer = originals["leaf"]
    return RunFolder(shutil.copytree(run.path, tmp_path / "run")), layer


@pytest.fixture
def mel(originals, tmp_path):
    return RunFolder(shutil.copytree(originals["mel"][0].path, tmp_path / "run"))


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def pngs(names):
    return sorted(f"{name}.png" for name in names)


def test_a_run_whose_centers_moved_by_100_hz(leaf):
    run, layer = leaf
    plots = plot(run.path)
    assert plots.drift.center_shift_hz == pytest.approx(100.0, rel=1e-3)
    assert plots.drift == visualize.drift(layer, visualize.untrained(layer))
    assert plots.names == (*OF_LEAF, "learning_curves")
    assert files(run.figures) == pngs(plots.names)
    for path in run.figures.iterdir():
        assert matplotlib.image.imread(path)[..., :3].std() > 0.05
    where, drift = str(plots).splitlines()
    assert where.startswith(f"figures in {run.figures}: filter_responses.png, ")
    assert drift == f"drift: {plots.drift}" and "center 100 Hz" in drift


def test_free_filters_are_drawn_and_measured(originals, tmp_path):
    run, layer = originals["tfbanks"]
    plots = plot(run.path, tmp_path)
    assert plots.names == ("filter_responses", "drift", "learning_curves")
    assert files(tmp_path) == pngs(plots.names)
    assert plots.drift == visualize.drift(layer, visualize.untrained(layer))
    assert plots.drift.filters > 0.9
    assert str(plots).endswith(f"drift: filters {plots.drift.filters:.3g} of 1")


def test_figures_replace_those_of_fit_and_nothing_else(leaf):
    run, _ = leaf
    run.figures.mkdir()
    for name in ("drift.png", "confusion_matrix.png"):
        (run.figures / name).write_text("earlier")
    plot(run.path)
    assert (run.figures / "confusion_matrix.png").read_text() == "earlier"
    assert (run.figures / "drift.png").read_bytes().startswith(b"\x89PNG")


def test_another_folder_leaves_the_run_as_it_was(leaf, tmp_path):
    run, _ = leaf
    before = files(run.path)
    plots = plot(run.path, tmp_path / "new" / "pictures")
    assert files(run.path) == before
    assert plots.folder == tmp_path / "new" / "pictures"
    assert files(plots.folder) == pngs(plots.names)


def test_mel_has_learning_curves_only(mel):
    plots = plot(mel.path)
    assert plots.drift == visualize.Drift()
    assert files(mel.figures) == ["learning_curves.png"]
    assert str(plots) == (
        "MelFilterbanks has nothing learned to draw except learning_curves.png in "
        f"{mel.figures}"
    )


def test_without_a_history_there_are_no_curves(leaf):
    run, _ = leaf
    run.history.unlink()
    assert plot(run.path).names == OF_LEAF


def test_mel_without_a_history_writes_nothing(mel):
    mel.history.unlink()
    assert str(plot(mel.path)) == "MelFilterbanks has nothing learned to draw"
    assert not mel.figures.exists()


@pytest.mark.parametrize(
    "text",
    [
        HISTORY + "3,x,1,1,1,1,1\n",
        HISTORY + "3,0.5\n",
        "epoch,loss\n1,2.0\n",
        b"\xff\xfe\x00",
    ],
)
def test_damaged_histories_are_one_line(mel, text):
    mel.history.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match="cannot read the history in .*history.csv"):
        plot(mel.path)


def test_what_is_no_finished_run(leaf, tmp_path):
    run, _ = leaf
    with pytest.raises(UserError, match="config.json is missing"):
        plot(tmp_path / "no")
    run.model.write_bytes(run.model.read_bytes()[:999])
    with pytest.raises(UserError, match="model.keras is damaged"):
        plot(run.path)
    run.model.unlink()
    with pytest.raises(UserError, match="holds no finished run: model.keras is"):
        plot(run.path)


def test_a_model_without_a_frontend_is_one_line(mel):
    import keras

    inputs = keras.Input((None, 8))
    outputs = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling1D()(inputs))
    keras.Model(inputs, outputs).save(mel.model)
    with pytest.raises(UserError, match="has no layer named 'frontend'"):
        plot(mel.path)


def test_a_folder_that_cannot_be_written_is_one_line(leaf, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="cannot write to the folder"):
        plot(leaf[0].path, tmp_path / "file" / "figures")


def test_drift_is_json(leaf):
    values = dataclasses.asdict(plot(leaf[0].path).drift)
    assert json.loads(json.dumps(values, allow_nan=False)) == values
