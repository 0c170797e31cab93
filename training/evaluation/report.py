"""The report of a run, which a person reads first."""

import numpy as np

from leaf_files.atomic import write_text
from leaf_files.command_line import counted, duration
from leaf_files.tables import code, plain, plain_table
from training.evaluation import notes
from training.evaluation.predictions import labels, write_predictions
from training.evaluation.scores import GROUPS
from training.settings.config import FitConfig
from training.settings.fields import settings_of
from training.settings.frontends import settings_in_words
from training.tasks.clip_sets import SPLITS

_MOST_WRONG = 50  # clips
_MOST_CONFUSIONS = 5
_MOST_LABELS = 20  # named in a sentence
# Told whether or not they were chosen; of the others those that were.
_ALWAYS = (
    *("frontend", "encoder", "sample_rate", "window_seconds"),
    *("epochs", "batch_size", "learning_rate", "seed"),
)
_NEVER = ("task", "data_dir")
_SPLIT_WORDS = {"train": "to train on", "validation": "to validate", "test": "to test"}


def write_report(run, config, tested, history, metrics):
    """Writes `report.md` and the predictions of a finished run to its folder.

    Args:
        run: A `RunFolder`.
        config: Its `FitConfig`.
        tested: A list of `notes.TestedTask`, one a head.
        history: One dict an epoch, as in `history.csv`.
        metrics: The content of `metrics.json`.

    >>> from leaf_files.run_folder import Head
    >>> from training.evaluation.clips import ClipPredictions
    >>> from training.evaluation.scores import scored
    >>> from training.run.folder import RunFolder
    >>> run, head = RunFolder("run"), Head("drums", "drums", ("kick", "snare"))
    >>> predictions = ClipPredictions(np.eye(2), np.array([0, 1]), ["a.wav", "b.wav"])
    >>> scores = scored(predictions, head.labels)
    >>> tested = notes.TestedTask(head, {}, predictions, scores, "by hand")
    >>> history = [{"epoch": 1, "loss": 0.9, "accuracy": 0.9, "val_accuracy": 0.9}]
    >>> parameters = {"frontend": 0, "total": 5000}
    >>> metrics = {"best_epoch": 1, "training_seconds": 75, "parameters": parameters}
    >>> write_report(run, FitConfig("drums"), [tested], history, metrics)
    >>> print(run.report.read_text())
    # Report of `run`
    <BLANKLINE>
    ## Result
    <BLANKLINE>
    **Test accuracy 100.0 %**: 2 of 2 test clips right.
    ...
    """
    for of_head in tested:
        path = run.predictions_of(of_head.head.name, len(tested))
        write_predictions(path, of_head.head, of_head.predictions)
    write_text(run.report, _to_markdown(run, config, tested, history, metrics))


def _to_markdown(run, config, tested, history, metrics):
    """The report; arguments as for `write_report`."""
    lines = [f"# Report of {code(run.path.name)}", "", "## Result", ""]
    for of_head in tested:
        lines += [*_result(of_head, len(tested) > 1), ""]
    # Of several tasks most have the same explanations.
    for line in dict.fromkeys(x for of_head in tested for x in _about(of_head)):
        lines += [line, ""]
    lines += ["## Notes", "", *_notes(tested, history, metrics, config), ""]
    lines += ["## What was learned from what", ""]
    for of_head in tested:
        lines += [*_data(of_head, len(tested) > 1), ""]
    lines += [*_training(config, metrics), ""]
    for of_head in tested:
        of_name = f" of {code(of_head.head.name)}" if len(tested) > 1 else ""
        suffix = f"_{of_head.head.name}" if len(tested) > 1 else ""
        lines += [f"## Classes{of_name}", "", *_classes(of_head, suffix), ""]
        file = run.predictions_of(of_head.head.name, len(tested)).name
        lines += [f"## Clips it got wrong{of_name}", "", *_wrong(of_head, file), ""]
    lines += ["## Files", "", *_files(run, tested)]
    return "\n".join(lines) + "\n"


def in_words(value, interval=None):
    """A score in percent, with its interval: "22.3 % (18.1 to 27.0)".

    >>> in_words(0.223, (0.181, 0.27)), in_words(None)
    ('22.3 % (18.1 to 27.0)', 'undefined')
    """
    if value is None:
        return "undefined"
    ends = "" if interval is None else f" ({_ends(interval)})"
    return f"{notes.percent(value)}{ends}"


def splits_in_words(entry):
    """The score on unseen groups beside that on a random split, of an entry with both.

    Such as "unseen groups: accuracy 22.3 % (18.1 to 27.0); a random split would have
    said 99.0 % (97.1 to 100.0)".

    >>> entry = {"accuracy": 0.223, "intervals": {"accuracy": [0.181, 0.27]}}
    >>> entry["random_split"] = {"accuracy": 0.99, "intervals": {"accuracy": None}}
    >>> print(splits_in_words(entry))
    unseen groups: accuracy 22.3 % (18.1 to 27.0); a random split would have said 99.0 %
    """
    name = "mAP" if "mAP" in entry else "accuracy"
    unseen, random = (in_words(e[name], e["intervals"][name]) for e in _both(entry))
    return f"unseen groups: {name} {unseen}; a random split would have said {random}"


def _both(entry):
    return entry, entry["random_split"]


def _result(tested, with_name):
    """Yields lines: the main score in a sentence, and what to compare it with."""
    scores, n = tested.scores, tested.scores["n_examples"]
    intervals = scores["intervals"]
    where = f"{code(tested.head.name)}: " if with_name else ""
    macro_f1 = in_words(scores["macro_f1"], intervals["macro_f1"])
    if tested.head.multi_label:
        whole = f"mAP {in_words(scores['mAP'], intervals['mAP'])}"
        yield f"{where}**Test {whole}** on {counted(n, 'clip')}."
        yield (
            f"AUC {in_words(scores['auc'], intervals['auc'])}, macro-F1 at a "
            f"probability of 0.5 {macro_f1}: all three are means over classes."
        )
    else:
        right = round(scores["accuracy"] * n)
        whole = f"accuracy {in_words(scores['accuracy'], intervals['accuracy'])}"
        yield f"{where}**Test {whole}**: {right} of {counted(n, 'test clip')} right."
        label, share = notes.baseline(tested)
        yield (
            f"Macro-F1, the mean over classes, is {macro_f1}. Always answering "
            f"{code(label)} would be right for {notes.percent(share)}."
        )
    if "random_split" in scores:
        words = splits_in_words(scores)
        yield ""
        yield f"**{words[0].upper()}{words[1:]}.**"


def _about(tested):
    """Yields lines: what the brackets and the random split mean."""
    scores = tested.scores
    if "random_split" in scores:
        yield (
            "The random split has the same groups in training and in the test: its "
            "figure tells how well these are known, the other one what to expect of "
            "new ones. Its run lies in [random_split](random_split/report.md)."
        )
    n_units = scores["n_intervals_over"]
    if "intervals_note" in scores:
        yield f"There are no intervals, as {scores['intervals_note']}."
    elif scores["intervals_over"] == GROUPS:
        yield (
            f"In brackets: 95 % intervals over the {n_units} groups of the test. That "
            "is where the figure would lie for other groups like these."
        )
    else:
        yield (
            f"In brackets: 95 % intervals over the {n_units} test clips. That is where "
            "the figure would lie for other clips like these; clips of other speakers, "
            "devices or places may be unlike them."
        )


def _notes(tested, history, metrics, config):
    lines = []
    for of_head in tested:
        where = f"{code(of_head.head.name)}: " if len(tested) > 1 else ""
        lines += [f"- {where}{note}" for note in notes.of_task(of_head)]
    lines += [
        f"- {note}"
        for note in notes.of_training(tested, history, metrics["best_epoch"], config)
    ]
    return lines or ["None: nothing stands out."]


def _data(tested, with_name):
    """Yields lines: classes, clips, groups, how they were split."""
    head = tested.head
    named = [code(label) for label in head.labels[:_MOST_LABELS]]
    named += ["..."] if len(head.labels) > _MOST_LABELS else []
    labels_each = "any number of labels" if head.multi_label else "one label"
    where = f"{code(head.name)}: the task" if with_name else "The task"
    yield (
        f"{where} {code(head.task)} has {len(head.labels)} classes, {labels_each} a "
        f"clip ({', '.join(named)})."
    )
    yield ""
    titles, rows = ["", "clips"], []
    with_groups = tested.n_groups("test") is not None
    for split in SPLITS:
        if split in tested.clips:
            row = [_SPLIT_WORDS[split], f"{tested.clips[split].n_examples}"]
            rows.append(row + [f"{tested.n_groups(split)}"] * with_groups)
    if rows:
        yield from plain_table(titles + ["groups"] * with_groups, rows)
        yield ""
    yield f"Split: {plain(tested.split_rule)}."


def _training(config, metrics):
    """Yields lines: the model, and the settings that matter."""
    parameters = metrics["parameters"]
    best = metrics["best_epoch"]
    kept_epoch = (
        f"kept is the epoch that did best on the validation clips, number {best}"
        if best
        else "no epoch did better on the validation clips than the start, which is kept"
    )
    yield (
        f"The model has {parameters['total']:,} parameters, {parameters['frontend']:,} "
        f"of them in the frontend. It was trained for "
        f"{duration(metrics['training_seconds'])}; {kept_epoch}."
    )
    if "adaptation" in metrics:
        yield (
            f"Only its compression was trained, from the run in "
            f"{code(metrics['adaptation']['run'])}; `metrics.json` has the scores "
            "before and after."
        )
    if "quantization" in metrics:
        yield from _quantized(metrics["quantization"])
    yield ""
    rows = []
    for name, entry in settings_of(FitConfig).items():
        value = getattr(config, name)
        if name in _NEVER or (name not in _ALWAYS and value == entry.default):
            continue
        words = code(_plain(value))
        if value is None and entry.none:
            words = entry.none
        rows.append((code(name), words))
    yield from plain_table(("setting", "value"), rows)
    yield ""
    yield "All other settings are the defaults; `config.json` has them."


def _quantized(told):
    """Yields lines: how far the rounded model is from the run that it comes from."""
    before, after = told["before"], told["after"]
    yield (
        "Only encoder and head were trained, while they were rounded (weights to "
        f"{told['weight_bits']} bits, values to 8), to answer as the run "
        f"in {code(told['run'])} does. Of {counted(after['n_examples'], 'test clip')} "
        f"the rounded model answers {after['answered_otherwise']} otherwise than that "
        f"run, {before['answered_otherwise']} before; its logits are off by "
        f"{after['difference']:.3f}, {before['difference']:.3f} before."
    )


def _classes(tested, suffix):
    """Yields lines: a table of the classes, the worst confusions, figures."""
    head, per_class = tested.head, tested.scores["per_class"]
    with_groups = tested.scores["intervals_over"] == GROUPS
    titles = ["class", "test clips"] + ["groups"] * with_groups
    titles += ["precision, %", "recall, %", "F1, %", "average precision, %"]
    rows = []
    for label in head.labels:
        of_class = per_class[label]
        cells = [code(label), f"{of_class['n_examples']}"]
        cells += [f"{of_class['n_groups']}"] if with_groups else []
        for name in ("precision", "recall", "f1", "average_precision"):
            cells.append(_cell(of_class[name], of_class["intervals"].get(name)))
        rows.append(cells)
    yield from plain_table(titles, rows)
    yield ""
    yield (
        "Precision: of the clips that were given this label, those that have it. "
        "Recall: of the clips that have it, those that were given it. F1: harmonic "
        "mean of the two. Average precision: how far up its clips are, if all are "
        f"ranked by its score. {_about_gaps(with_groups)}"
    )
    if not head.multi_label:
        worst = list(_confusions(tested))
        if worst:
            yield ""
            yield "What is taken for what most often:"
            yield ""
            yield from worst
    yield ""
    kind = "average_precisions" if head.multi_label else "confusion_matrix"
    yield f"![Scores of the classes](figures/class_scores{suffix}.png)"
    yield f"![{kind.replace('_', ' ').capitalize()}](figures/{kind}{suffix}.png)"


def _about_gaps(with_groups):
    units = "groups" if with_groups else "clips"
    return f"A dash: undefined. No interval: fewer than 3 {units} to tell it from."


def _confusions(tested):
    counts = tested.predictions.confusion()
    sizes = counts.sum(axis=1)
    np.fill_diagonal(counts, 0)
    names = tested.head.labels
    for place in np.argsort(-counts, axis=None, kind="stable")[:_MOST_CONFUSIONS]:
        true, predicted = np.unravel_index(place, counts.shape)
        n = counts[true, predicted]
        if n:
            yield (
                f"- {n} of {counted(sizes[true], 'clip')} of {code(names[true])} for "
                f"{code(names[predicted])}"
            )


def _wrong(tested, file):
    """Yields lines: the clips that were given wrong labels, the surest first."""
    predictions, head = tested.predictions, tested.head
    truth, chosen = predictions.truth, predictions.chosen
    chances = predictions.probabilities
    # How far the worst label of each clip is from the truth.
    errors = np.where(truth, 1 - chances, chances)
    if not head.multi_label:
        errors = np.where(chosen, chances, 0)
    wrong = np.flatnonzero((truth != chosen).any(axis=1))
    if not len(wrong):
        yield "None."
        return
    order = wrong[np.argsort(-errors[wrong].max(axis=1), kind="stable")]
    order = order[:_MOST_WRONG]
    most = "" if len(order) == len(wrong) else f" The {len(order)} surest of them:"
    yield (
        f"{len(wrong)} of {counted(len(truth), 'clip')}; look whether some are "
        f"labelled wrongly. `{file}` has all clips.{most}"
    )
    yield ""
    with_groups = predictions.groups is not None
    titles = ["clip"] + ["group"] * with_groups + ["label", "predicted"]
    titles += ["surest mistake"] if head.multi_label else ["with", "its own label with"]
    rows = []
    for n in order:
        cells = [code(predictions.names[n])]
        cells += [code(str(predictions.groups[n]))] if with_groups else []
        cells += [_labels(head, truth[n]), _labels(head, chosen[n])]
        if head.multi_label:
            worst = errors[n].argmax()
            cells.append(
                f"{code(head.labels[worst])} {notes.percent(chances[n, worst])}"
            )
        else:
            cells.append(notes.percent(chances[n].max()))
            cells.append(notes.percent(chances[n, truth[n]].sum()))
        rows.append(cells)
    yield from plain_table(titles, rows)


def _labels(head, which):
    names = labels(head, which)
    return code(names) if names else "none"


def _files(run, tested):
    files = [run.predictions_of(t.head.name, len(tested)).name for t in tested]
    yield f"- {', '.join(f'[{name}]({name})' for name in files)}: all test clips"
    yield "- [metrics.json](metrics.json): the figures of this report, for programs"
    yield "- [history.csv](history.csv), ![](figures/learning_curves.png)"


def _cell(value, interval):
    """ "22.3 (18.1 to 27.0)", in percent; a dash where undefined."""
    if value is None:
        return "-"
    return f"{100 * value:.1f}" + (f" ({_ends(interval)})" if interval else "")


def _ends(interval):
    low, high = interval
    return f"{100 * low:.1f} to {100 * high:.1f}"


def _plain(value):
    if isinstance(value, dict):
        return ",".join(settings_in_words(value))
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
