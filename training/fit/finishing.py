"""What every way of training ends with: numbers, pages and a line on where they are."""

from leaf_files.atomic import write_json
from training.decisions.calibrating import add_calibration, calibrated
from training.decisions.figures import draw_reliability
from training.evaluation import figures
from training.evaluation.report import write_report


def say(line):
    """Prints a line at once.

    >>> say("the run lies in run")
    the run lies in run
    """
    print(line, flush=True)


def numbers(model, tasks, n_clips, best_epoch, seconds):
    """What `metrics.json` says of every run, a dict.

    Args:
        model: The classifier.
        tasks: {task: its scores}.
        n_clips: {split: number of its clips}.
        best_epoch: Epoch of the model, from 1; 0 if none changed it.
        seconds: Duration of training.

    >>> import keras, leaf_tf
    >>> leaf = leaf_tf.Leaf(n_filters=8, name="frontend")
    >>> pooling = keras.layers.GlobalAveragePooling1D()
    >>> model = keras.Sequential([keras.Input((16000,)), leaf, pooling])
    >>> numbers(model, {}, {"test": 20}, 3, 61.26)["parameters"]
    {'frontend': 56, 'total': 56}
    """
    return {
        "tasks": tasks,
        "parameters": {
            "frontend": model.get_layer("frontend").count_params(),
            "total": model.count_params(),
        },
        "clips": n_clips,
        "best_epoch": best_epoch,
        "training_seconds": round(seconds, 1),
    }


def say_best(saver, better):
    """Says which epoch was kept of a model that was trained further.

    Args:
        saver: A callback with `best_epoch`, 0 if no epoch was kept.
        better: What no epoch was then, in words.

    >>> import types
    >>> say_best(types.SimpleNamespace(best_epoch=3), "better")
    the best epoch is 3
    >>> say_best(types.SimpleNamespace(best_epoch=0), "better")
    no epoch was better on the validation clips: the model is unchanged
    """
    say(
        f"the best epoch is {saver.best_epoch}"
        if saver.best_epoch
        else f"no epoch was {better} on the validation clips: the model is unchanged"
    )


def decided_anew(head, old, validation):
    """The `Decisions` of a head whose model was trained further.

    Says so where thresholds are dropped: they were chosen for other scores.

    Args:
        head: A `Head`.
        old: `Decisions` before.
        validation: The new model's predictions of the validation clips.

    >>> from leaf_files.decisions import Decisions
    >>> from leaf_files.run_folder import Head
    >>> from training.evaluation.clips import ClipPredictions
    >>> head = Head("drums", "drums", ("kick", "snare"), "softmax")
    >>> logits = np.tile([4.0, 0.0], (100, 1))
    >>> predictions = ClipPredictions(logits, np.repeat([0, 1], [80, 20]))
    >>> new = decided_anew(head, Decisions(none_below=0.5), predictions)
    the thresholds of the old run are dropped: choose them anew
    >>> round(new.temperature, 2), new.none_below
    (2.89, 0.0)
    """
    if old.thresholds or old.none_below:
        say("the thresholds of the old run are dropped: choose them anew")
    return calibrated(head, validation)


def finish(run, config, tested, decisions, metrics, history, drawn):
    """Writes the numbers and the pages of a run that was trained from another.

    Args:
        run: Its `RunFolder`.
        config: Its `FitConfig`.
        tested: A list of `TestedTask`, whose scores are those in `metrics`: they get
            their calibration here.
        decisions: `Decisions` of each.
        metrics: The content of `metrics.json`.
        history: One dict an epoch.
        drawn: {name: Figure} beside those of the scores.
    """
    heads = [each.head for each in tested]
    predictions = [each.predictions for each in tested]
    scores = [each.scores for each in tested]
    calibration = add_calibration(heads, predictions, scores, decisions)
    write_json(run.metrics, metrics)
    for line in calibration:
        say(line)
    write_report(run, config, tested, history, metrics)
    drawn = {**figures.score_figures(heads, predictions, scores), **drawn}
    figures.save_figures(drawn, run.figures)
    draw_reliability(run, heads, predictions, decisions)
    say_where(run)


def say_where(run):
    """Says where a finished run lies, and what to read.

    Args:
        run: Its `RunFolder`.

    >>> from training.run.folder import RunFolder
    >>> say_where(RunFolder("run"))
    read run/report.md first
    the run lies in run
    """
    say(f"read {run.report} first")
    say(f"the run lies in {run.path}")
