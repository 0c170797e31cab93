"""`python -m benchmarks training`: what a step of a training costs, and which part.

Models, losses and optimizers are those of `fit`; the waveforms are noise in memory, so
that reading is not measured. See `python -m benchmarks input` for that.
"""

import numpy as np

from benchmarks.engines import current_engine
from benchmarks.speed import machine
from benchmarks.suite.plan import frontend_settings
from benchmarks.timing import interleave
from leaf_tf.frontends import Frontend
from training.settings.config import FitConfig

_N_CLASSES = 10
_STEP, _FORWARD, _BACKWARD = "whole step", "frontend, forward", "frontend, both ways"


def measure(frontends, encoder, batch_size, sample_rate, seconds_each):
    """Times the steps of trainings with several frontends, all in turn.

    Args:
        frontends: Names or specifications of `python -m training compare`; the others
            are compared with the first.
        encoder: Name of the encoder.
        batch_size: Clips of a step, of 1 s each.
        sample_rate: Rate of the waveforms, Hz.
        seconds_each: Time to spend on each part of each.

    Returns:
        As `benchmarks.speed.measure`. The parts of a step are comparisons: the whole,
        the frontend forward, and the frontend forward and backward.

    Raises:
        UserError: There is no such frontend or encoder, or it can't be made.
    """
    shape = (batch_size, sample_rate)
    parts: dict[str, dict] = {_STEP: {}, _BACKWARD: {}, _FORWARD: {}}
    for name in frontends:
        model = _model(_config(name, encoder, sample_rate))
        (layer,) = (layer for layer in model.layers if isinstance(layer, Frontend))
        engine = current_engine()
        mode = engine.modes[0]
        parts[_STEP][name] = _step(model, shape)
        parts[_BACKWARD][name] = engine.training(layer, shape, mode)
        parts[_FORWARD][name] = engine.forward(layer, shape, mode)
    rows = []
    for part, calls in parts.items():
        times = interleave(calls, seconds_each)
        for name, taken in times.items():
            rows.append(
                {
                    "comparison": f"{batch_size} x 1 s at {sample_rate} Hz, {encoder} "
                    f"encoder, {part}",
                    "part": part,
                    "contestant": name,
                    "median_ms": 1e3 * taken.median,
                    "quartiles_ms": [1e3 * quartile for quartile in taken.quartiles],
                    "ratio": taken.median / times[frontends[0]].median,
                }
            )
    return {"machine": machine(), "rows": rows}


def _config(frontend, encoder, sample_rate):
    from training.run.models import check_model

    settings = frontend_settings(frontend)
    config = FitConfig("any", encoder=encoder, sample_rate=sample_rate, **settings)
    check_model(config)
    return config


def _model(config):
    """A classifier, compiled as `fit` does it."""
    from leaf_files.run_folder import Head
    from training.run.models import build_classifier, compile_classifier

    labels = tuple(str(label) for label in range(_N_CLASSES))
    heads = (Head("any", "any", labels, "softmax"),)
    model = build_classifier(config, heads)
    compile_classifier(model, heads, config, steps=10**6)
    return model


def _step(model, shape):
    """A function of no argument that makes one optimizer step and waits for its end."""
    random = np.random.default_rng(0)
    waveforms = random.uniform(-0.1, 0.1, shape).astype("float32")
    labels = random.integers(_N_CLASSES, size=shape[0])
    return lambda: model.train_on_batch(waveforms, labels)
