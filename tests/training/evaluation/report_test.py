import csv

import numpy as np
import pytest

from leaf_files.run_folder import Head
from tests.training.runs import small_config
from training.evaluation import notes, report
from training.evaluation.clips import ClipPredictions, MultiLabelPredictions
from training.evaluation.notes import TestedTask
from training.evaluation.predictions import write_predictions
from training.evaluation.scores import scored
from training.run.folder import RunFolder
from training.settings.config import FitConfig
from training.tasks.clip_sets import ClipSet, ListedClip

LABELS = ("en", "fr", "it")
METRICS = {
    "best_epoch": 2,
    "training_seconds": 75.0,
    "parameters": {"frontend": 280, "total": 50_000},
}


def clip_set(labels, groups=None):
    clips = [ListedClip("", label, f"{n}.wav") for n, label in enumerate(labels)]
    return ClipSet(len(clips), None, clips=clips, groups=groups)


def history(*accuracies, losses=(3.0, 2.0, 1.9, 1.9)):
    return [
        {"epoch": n + 1, "loss": loss, "accuracy": a, "val_accuracy": a}
        for n, (a, loss) in enumerate(zip(accuracies, losses))
    ]


def make_tested(logits, classes, names=(), groups=None, train=60 * LABELS, **details):
    head = Head("folder:/data/x", "x", LABELS)
    names = names or [f"{n}.wav" for n in range(len(classes))]
    predictions = ClipPredictions(
        np.asarray(logits), np.asarray(classes), names, groups
    )
    clips = {
        "train": train if isinstance(train, ClipSet) else clip_set(train),
        "validation": clip_set(LABELS),
        "test": clip_set([LABELS[n] for n in classes], groups),
    }
    entry = scored(predictions, LABELS)
    return TestedTask(head, clips, predictions, entry, "by hand", **details)


def all_right(n=30, **details):
    classes = np.arange(n) % 3
    return make_tested(5 * np.eye(3)[classes], classes, **details)


def rows(table):
    """The cells of the rows of a table in Markdown, title and rule left out."""
    return [line.strip("|").split(" | ") for line in table.splitlines()[2:]]


def section(text, title):
    return text.partition(f"## {title}\n\n")[2].partition("\n## ")[0]


def test_the_wrong_clips_come_the_surest_first(tmp_path):
    logits = [[0, 2.0, 0], [0, 9, 0], [5, 0, 0], [0, 0, 4]]
    of_task = make_tested(logits, [0, 0, 0, 1], ["a.wav", "b.wav", "c.wav", "d.wav"])
    text = report._to_markdown(
        RunFolder(tmp_path), small_config("x"), [of_task], history(0.9, 0.9), METRICS
    )
    wrong = section(text, "Clips it got wrong")
    assert wrong.startswith("3 of 4 clips")
    table = wrong[wrong.index("| clip") :].rstrip()
    found = [[cell.strip(" `") for cell in row[:3]] for row in rows(table)]
    assert found == [
        ["b.wav", "en", "fr"],
        ["d.wav", "fr", "it"],
        ["a.wav", "en", "fr"],
    ]
    assert "1 of 1 clip of `fr` for `it`" in section(text, "Classes")


@pytest.mark.parametrize(
    "name, shown",
    [
        ("a|b.wav", r"`a\|b.wav`"),
        ("<script>x</script>*_[a](b).wav", "`<script>x</script>*_[a](b).wav`"),
        ("two\nlines\r.wav", r"`two\nlines\r.wav`"),
        ("a`b``c.wav", "```a`b``c.wav```"),
        ("`.wav", "`` `.wav ``"),
        ("\u202egnp.wav", r"`\u202egnp.wav`"),
        ("\udcff.wav", r"`\udcff.wav`"),
    ],
)
def test_names_of_files_keep_to_their_cell(name, shown, tmp_path):
    of_task = make_tested([[0, 2.0, 0]], [0], [name])
    run = RunFolder(tmp_path)
    report.write_report(run, small_config("x"), [of_task], history(0.9, 0.9), METRICS)
    text = run.report.read_text(encoding="utf-8")
    wrong = section(text, "Clips it got wrong")
    [row] = wrong[wrong.index("| clip") :].rstrip().split("\n")[2:]
    assert row.startswith(f"| {shown} | `en` | `fr` | ")
    with run.predictions.open(
        newline="", encoding="utf-8", errors="surrogateescape"
    ) as file:
        [written] = csv.DictReader(file)
    assert written["file"] == name


def test_many_wrong_clips_are_counted_and_cut():
    of_task = make_tested(np.tile([0, 2.0, 0], (80, 1)), np.zeros(80, int))
    lines = list(report._wrong(of_task, "predictions.csv"))
    assert lines[0].startswith("80 of 80 clips") and "50 surest" in lines[0]
    assert len([line for line in lines if line.startswith("| `")]) == 50


def test_several_tasks_have_a_section_and_a_table_each(tmp_path):
    head = Head("audioset", "sounds", ("dog", "cat"), "sigmoid")
    predictions = MultiLabelPredictions(
        np.array([[2.0, -1], [-1, -3], [1, 1]]),
        np.array([[1, 0], [0, 0], [0, 1]]),
        ["a", "b", "c"],
    )
    entry = scored(predictions, head.labels)
    several = TestedTask(head, {}, predictions, entry, "official", is_official=True)
    run = RunFolder(tmp_path)
    both = [all_right(), several]
    report.write_report(run, small_config("x"), both, history(0.9, 0.9), METRICS)
    text = run.report.read_text()
    for title in ("Classes", "Clips it got wrong"):
        for head in ("x", "sounds"):
            assert section(text, f"{title} of `{head}`")
    assert "`sounds`: **Test mAP " in text
    with run.predictions_of("sounds", 2).open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["label"] for row in found] == ["dog", "", "cat"]
    assert [row["predicted"] for row in found] == ["dog", "", "dog|cat"]
    assert [row["right"] for row in found] == ["1", "1", "0"]
    assert float(found[0]["probability dog"]) == pytest.approx(0.8808, abs=1e-4)
    assert run.predictions_of("x", 2).name == "predictions_x.csv"
    assert run.predictions_of("x", 2).exists()


def test_many_classes_have_their_most_probable_ones(tmp_path):
    labels = tuple(f"c{n}" for n in range(200))
    logits = np.arange(200.0)[None]
    predictions = ClipPredictions(logits, np.array([3]), ["a.wav"], ["g"])
    write_predictions(tmp_path / "p.csv", Head("t", "t", labels), predictions)
    with (tmp_path / "p.csv").open(newline="") as file:
        [row] = csv.DictReader(file)
    assert (row["group"], row["label"], row["predicted"]) == ("g", "c3", "c199")
    assert [row[f"label {n}"] for n in (1, 2, 5)] == ["c199", "c198", "c195"]
    assert float(row["probability 1"]) == pytest.approx(1 - np.exp(-1), abs=1e-4)


def said_of(of_task):
    return "\n".join(notes.of_task(of_task))


GROUPED = [f"g{n % 5}" for n in range(30)]


def test_nothing_stands_out_of_a_good_run():
    train = clip_set(60 * LABELS, [f"h{n % 7}" for n in range(180)])
    good = all_right(groups=GROUPED, train=train)
    assert said_of(good) == ""
    said = list(notes.of_training([good], history(0.9, 0.99), 2, small_config("x")))
    assert said == []


def test_what_is_known_of_groups():
    assert "aren't known" in said_of(all_right())
    assert said_of(all_right(is_official=True)) == ""
    assert "come from 2 groups only" in said_of(all_right(groups=["a", "b"] * 15))
    train = clip_set(60 * LABELS, ["one", "two", "two", "three", "four", "two"] * 30)
    said = said_of(all_right(groups=GROUPED, train=train))
    assert "from one training group only" in said and "not the class: `it`" in said


def test_what_was_found_before_comes_first():
    said = said_of(all_right(notes=["12 clips are cuts of one recording."]))
    assert said.startswith("12 clips are cuts of one recording.\n")


def test_answers_no_better_than_one_for_all():
    classes = [0] * 20 + [1] * 10 + [2] * 10
    constant = make_tested(np.tile([2.0, 0, 0], (40, 1)), classes)
    said = said_of(constant)
    assert "no better than always answering `en`, which is right for 50.0 %" in said
    assert "Never predicted for a test clip: `fr`, `it`" in said


def test_few_clips_and_imbalance():
    said = said_of(all_right(n=9, train=["en"] * 100 + ["fr"] * 19 + ["it"] * 30))
    assert "Few test clips" in said and "33 % or more: `en` 3, `fr` 3, `it` 3" in said
    assert "Few training clips: `fr` 19" in said
    assert "Out of balance: `en` has 100 training clips, `fr` 19" in said
    said = said_of(make_tested(np.eye(3)[[0, 1]], [0, 1]))
    assert "No test clips, so that nothing is known of them: `it`" in said


def still_learning(rows, best, epochs):
    config = small_config("x", epochs=epochs)
    return any(
        "Still learning" in note
        for note in notes.of_training([all_right()], rows, best, config)
    )


def test_still_learning():
    falling = history(0.3, 0.4, 0.5, 0.6, losses=(3.0, 2.0, 1.5, 1.2))
    assert still_learning(falling, 4, 4)
    assert not still_learning(falling, 2, 4)  # the best epoch is past
    assert not still_learning(falling, 4, 50)  # it was ended by --patience
    assert not still_learning(history(0.3, 0.6, 0.61, 0.61), 4, 4)  # it is flat
    learned = history(0.9, 0.98, 0.99, 0.99, losses=(3.0, 2.0, 1.5, 1.2))
    assert not still_learning(learned, 4, 4)
    assert not still_learning(history(0.3, 0.6, 0.6, 0.3), 4, 4)
    once = small_config("x", epochs=1)
    few, *_ = notes.of_training([all_right()], falling[:1], 1, once)
    assert few == (
        "It learned for 1 epoch only: try `--epochs 10`, 80 steps in place of 8."
    )


def test_validation_alone_may_say_that_it_still_learns():
    """The loss is flat; one of the last epochs beats all of the first two thirds."""
    rows = history(0.3, 0.4, 0.5, 0.6)
    config = small_config("x", epochs=4)
    note, *_ = notes.of_training([all_right()], rows, 4, config)
    assert note == (
        "Still learning: of 4 epochs number 4 is the best, and the validation clips "
        "were still gaining: try `--epochs 12`, 96 steps in place of 32."
    )
    learned = history(0.99, 0.99, 0.99, 0.99, losses=(3.0, 2.0, 1.5, 1.2))
    for row, score in zip(learned, (0.5, 0.6, 0.55, 0.61)):
        row["val_accuracy"] = score
    assert not still_learning(learned, 4, 4)  # by noise, maybe
    learned[-1]["val_accuracy"] = 0.63
    assert still_learning(learned, 4, 4)


@pytest.mark.parametrize(
    "settings, advice",
    [
        # 180 training clips: 6 batches a pass, 50 steps an epoch by default.
        ({}, "`--epochs 60 --steps-per-epoch 50`, 3000 steps in place of 1000."),
        ({"batch_size": 2}, "`--epochs 60`, 5400 steps in place of 1800."),
        ({"epochs": 20}, "`--epochs 60`, 360 steps in place of 120."),
        ({"steps_per_epoch": 7}, "`--epochs 60`, 420 steps in place of 140."),
    ],
)
def test_the_advice_makes_three_times_the_steps(settings, advice):
    config = FitConfig("x", **settings)
    rows = history(*np.linspace(0.3, 0.7, 20), losses=np.linspace(3, 1, 20))
    note, *_ = notes.of_training([all_right()], rows, 20, config)
    assert note.endswith(f"the loss was still falling: try {advice}")
    words = advice.split("`")[1].removeprefix("--").replace("-", "_").split(" __")
    followed = {name: int(n) for name, n in (word.split() for word in words)}
    then = FitConfig("x", **{**settings, **followed})
    steps = [c.n_epochs * c.steps_in_epoch(180) for c in (config, then)]
    assert advice.endswith(f"{steps[1]} steps in place of {steps[0]}.")


def test_notes_as_a_terminal_shows_them():
    assert notes.as_text("try `--a 1`, or ``  `x` ``: `b_c`") == (
        "try --a 1, or  `x`: b_c"
    )


def test_training_and_test_far_apart():
    poor = make_tested(np.eye(3)[np.arange(30) % 2], np.arange(30) % 3)
    config = small_config("x", epochs=9)
    said = list(notes.of_training([poor], history(0.5, 0.99), 2, config))
    share = f"{100 * poor.scores['accuracy']:.1f} %"
    assert f"99.0 % of the training windows were right, and {share}" in said[0]
    assert "Validation and test are far apart" in said[1]
