"""One training run, from a config to a finished run folder."""

import sys
import time

import keras

from files.atomic import replacing, write_json, write_text
from training import figures
from training.callbacks import ValidateAndSave
from training.evaluation import ClipEvaluator
from training.models import build_classifier, compile_classifier
from training.pipeline import training_batches
from training.run_folder import RunFolder
from training.tasks import get_task


def fit(config, output):
    """Trains a classifier and writes a run folder.

    The data is loaded and checked before anything is written.

    Args:
        config: A `FitConfig`.
        output: The run folder; new, empty, or of an unfinished run.

    Returns:
        The metrics, as in `metrics.json`.

    Raises:
        UserError: The task or its data can't be used, or the folder can't be
            written.
    """
    run = RunFolder(output)
    run.require_writable()
    data = get_task(config.task).load(config.data_dir, config.seed)
    sizes = {split: clips.n_examples for split, clips in data.splits.items()}
    _say(
        f"{config.task}: {len(data.labels)} classes; "
        + ", ".join(f"{n} {split}" for split, n in sizes.items())
        + " clips"
    )

    keras.utils.set_random_seed(config.seed)
    model = build_classifier(config, len(data.labels))
    initial = model.get_layer("frontend").get_weights()
    steps_per_epoch = config.steps_per_epoch or -(
        -sizes["train"] // config.batch_size
    )
    compile_classifier(model, config, config.epochs * steps_per_epoch)

    write_json(run.config, config.to_dict())
    write_text(run.labels, "".join(f"{label}\n" for label in data.labels))
    run.write_evaluation_clips(data.splits["test"], data.labels, config.sample_rate)

    started = time.monotonic()
    saver = ValidateAndSave(ClipEvaluator(data.splits["validation"], config), run)
    model.fit(
        training_batches(
            data.splits["train"],
            config.sample_rate,
            config.window_samples,
            config.batch_size,
            config.seed,
        ),
        epochs=config.epochs,
        steps_per_epoch=steps_per_epoch,
        callbacks=[saver, keras.callbacks.TensorBoard(run.logs, write_graph=False)],
        shuffle=False,
        verbose=1 if sys.stdout.isatty() else 2,
    )
    training_seconds = time.monotonic() - started

    model.load_weights(run.best)
    _save_without_optimizer(model, run.model)
    test = ClipEvaluator(data.splits["test"], config).predict(model)
    figures.draw_run(run, config, data, model, initial, saver.history, test)
    metrics = {
        "tasks": {config.task: test.metrics},
        "parameters": {
            "frontend": model.get_layer("frontend").count_params(),
            "total": model.count_params(),
        },
        "clips": sizes,
        "best_epoch": saver.best_epoch,
        "training_seconds": round(training_seconds, 1),
    }
    # Last: its presence says that the run is complete.
    write_json(run.metrics, metrics)
    _say(
        f"test accuracy {test.accuracy:.4f} on {len(test.classes)} clips "
        f"(epoch {saver.best_epoch}, {training_seconds:.0f} s); run in {run.path}"
    )
    return metrics


def _save_without_optimizer(model, path):
    """Saves what is needed to predict; the checkpoints hold the rest."""
    bare = keras.models.clone_model(model)
    bare.set_weights(model.get_weights())
    with replacing(path) as temporary:
        bare.save(temporary)


def _say(line):
    print(line, flush=True)
