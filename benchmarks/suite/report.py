"""The pages of a suite: report.md, results.csv, figures."""

import statistics

from benchmarks.suite import figures, filter_pages
from benchmarks.suite.cells import difference_cell, points
from benchmarks.suite.conditions import BUDGETS, CLEAN, SHIFTS, budget_name
from benchmarks.suite.filters import by_filters, usual
from benchmarks.suite.results import ALL_ENCODERS, JUDGED, TRAINING, Key, collect
from benchmarks.suite.tasks import TASKS
from leaf_files.atomic import write_csv, write_text
from leaf_files.command_line import counted
from leaf_files.tables import plain_table

# A mean difference above this is no loss, in accuracy.
NO_LOSS = -0.015
_CLEAN_TITLES = {budget_name(percent): f"{percent} %" for percent in BUDGETS}
_SHIFT_TITLES = {
    str(shift): str(shift).removeprefix("pink ").replace("noise at", "noise")
    for shift in SHIFTS
}
_NAMES = ("task", "frontend")
# What a page on a split says, where it isn't the one that verdicts are on.
_WARNINGS = {
    "validation": [
        "- Validation clips are those that settings are chosen on: a choice among "
        "several is flattered by its numbers here, and judged on test clips."
    ]
}
_TITLES = {TRAINING: "training", **_CLEAN_TITLES, **_SHIFT_TITLES}


def write(output, runs, baseline):
    """Writes all pages to the folder of a suite, each atomically.

    Args:
        output: The folder, a Path.
        runs: `Run`s of one split.
        baseline: The frontend that the others are compared with.
    """
    results = collect(usual(runs), baseline)
    pictures = {}
    if results.runs:
        write_csv(output / "results.csv", csv_rows(results))
        pictures = figures.draw(results, output / "figures")
    few = filter_pages.write(output, by_filters(runs, baseline))
    write_text(output / "report.md", to_markdown(results, pictures, few, runs))


def csv_rows(results):
    """Rows of `results.csv`, one a task, encoder, frontend and condition."""
    rows = []
    for key, score in results.scores.items():
        difference = score.difference
        seeds = difference and difference.by_seeds
        groups = difference and difference.by_groups
        ends = difference and difference.interval
        rows.append(
            {
                **key._asdict(),
                "on": results.on,
                "n_seeds": len(score.values),
                "accuracy": round(score.estimate.mean, 5),
                "n_pairs": seeds and seeds.n,
                "difference": _rounded(difference and difference.mean),
                "low": _rounded(ends and ends[0]),
                "high": _rounded(ends and ends[1]),
                "low_by_seeds": _rounded(seeds and seeds.low),
                "high_by_seeds": _rounded(seeds and seeds.high),
                "n_groups": difference and difference.n_groups,
                "low_by_groups": _rounded(groups and groups[0]),
                "high_by_groups": _rounded(groups and groups[1]),
                "excludes_zero": difference and difference.excludes_zero,
                "holds_with_all_counted": difference and score.holds,
            }
        )
    return rows


def _rounded(value):
    return value if value is None else round(value, 5)


def to_markdown(results, pictures, few=(), runs=None):
    """The report, for people.

    Args:
        results: `Results`, with the suite's number of filters.
        pictures: {task: path of its figure, relative to the report}; that of the
            differences is under "".
        few: Lines on other numbers of filters.
        runs: All `Run`s; None for those of `results`.
    """
    baseline = results.baseline
    runs = runs or results.runs
    part = "" if runs[0].on == "test" else f", {runs[0].on} clips"
    lines = [f"# Frontends on real tasks{part}", "", *_what_was_run(results, runs), ""]
    for frontend in results.others:
        lines += [f"## {frontend} against {baseline}", "", *_verdict(results, frontend)]
        lines += [""]
        lines += [f"- {text}" for text in sentences(results, frontend)]
        lines += [""]
    if "" in pictures:
        lines += [f"![differences to {baseline}]({pictures['']})", ""]
    lines += few
    for task in results.tasks:
        lines += [f"## {task}", "", f"{_about(task)}", ""]
        if task in pictures:
            lines += [f"![{task}]({pictures[task]})", ""]
        for encoder in results.encoders(task):
            lines += [*_table(results, task, encoder), ""]
    return "\n".join(lines).rstrip() + "\n"


def _what_was_run(results, runs):
    tasks, frontends = ({getattr(run, what) for run in runs} for what in _NAMES)
    on = runs[0].on
    seeds = sorted({run.seed for run in runs})
    steps = sorted({run.settings["steps"] for run in runs})
    batch = sorted({run.settings.get("batch_size", 0) for run in runs})
    first = [name for name in results.frontends if name in frontends]
    lines = [
        f"{counted(len(runs), 'run')}: {counted(len(tasks), 'task')}, frontends "
        f"{', '.join([*first, *sorted(frontends - {*first})])}, encoders "
        f"{', '.join(sorted({run.encoder for run in runs}))}, seeds {_span(seeds)}; "
        f"{_span(steps)} steps of {_span(batch)} windows; accuracy on the "
        f"{on} clips, whose groups training hasn't met.",
        "",
        "- Clean: as recorded, after that share of the steps of one run. Noise: pink, "
        "at that signal-to-noise ratio. Gain: the clips louder or softer, unclipped. "
        "Models were trained on clean clips alone.",
        *_WARNINGS.get(on, ()),
        f"- A difference is between runs of {results.baseline} and of the other "
        "frontend of the same seed: the same folds, clips, windows and order. Its "
        "interval (95 %) is the wider of two: Student's t over the seeds, and a "
        f"bootstrap over the groups of the {on} clips; **bold** where both exclude 0.",
    ]
    if results.n_differences:
        lines.append(
            f"- Of {results.n_differences} differences, correlated as "
            f"{results.n_effective:.0f} independent ones (Nyholt 2004), "
            f"{0.05 * results.n_effective:.1f} would exclude 0 by chance alone; **!** "
            "marks those that do with all of them counted (Bonferroni)."
        )
    margins = [
        score.difference.margin
        for key, score in results.scores.items()
        if key.condition == CLEAN
        and key.encoder == results.verdict_encoder(key.task, key.frontend)
        and score.difference is not None
        and score.difference.margin is not None
    ]
    if margins:
        lines.append(
            "- Half-widths of the clean differences, in points: median "
            f"{100 * statistics.median(margins):.1f}, largest "
            f"{100 * max(margins):.1f}."
        )
    return lines


def _span(numbers):
    """Whole numbers, shortly: "0 to 9", "200 and 600"."""
    if len(numbers) > 2 and numbers == [*range(numbers[0], numbers[-1] + 1)]:
        return f"{numbers[0]} to {numbers[-1]}"
    return " and ".join(map(str, numbers))


def _verdict(results, frontend):
    """The table of a frontend: tasks by conditions."""
    rows = []
    n_kept, n_judged = 0, 0
    for task in results.tasks:
        encoder = results.verdict_encoder(task, frontend)
        cells = []
        for condition in JUDGED:
            score = results.scores.get(Key(task, encoder, frontend, condition))
            cells.append(difference_cell(score))
            if score and score.difference and condition in _CLEAN_TITLES:
                n_judged += 1
                n_kept += score.difference.mean > NO_LOSS
        rows.append([task, *cells])
    yield from plain_table(["points", *(_TITLES[name] for name in JUDGED)], rows)
    gains = _gains(results, frontend)
    yield ""
    yield from _by_encoders(results, frontend)
    yield (
        f"{n_kept} of {n_judged} clean means are above {100 * NO_LOSS:.1f} points. "
        f"Above {results.baseline} with an interval that excludes 0 in noise or at "
        f"another gain: {', '.join(gains) if gains else 'on no task'}."
    )


def _by_encoders(results, frontend):
    """Yields a line on which encoders a verdict is from, if there are several."""
    tasks: dict[str, list[str]] = {}
    for task in results.tasks:
        if len(results.encoders(task)) > 1:
            encoder = results.verdict_encoder(task, frontend)
            tasks.setdefault(encoder, []).append(task)
    if tasks:
        several = tasks.pop(ALL_ENCODERS, None)
        parts = [f"both encoders on {', '.join(several)}"] if several else []
        parts += [f"{name} alone on {', '.join(tasks[name])}" for name in tasks]
        yield f"Seeds of {'; '.join(parts)}."
        yield ""


def _gains(results, frontend):
    """Tasks on which a frontend is above the baseline under shift."""
    gains: dict[str, list[str]] = {}
    for task in results.tasks:
        encoder = results.verdict_encoder(task, frontend)
        for condition in _SHIFT_TITLES:
            score = results.scores.get(Key(task, encoder, frontend, condition))
            difference = score and score.difference
            if difference and difference.excludes_zero and difference.mean > 0:
                gains.setdefault(task, []).append(_TITLES[condition])
    return [f"{task} ({', '.join(names)})" for task, names in gains.items()]


def sentences(results, frontend):
    """A sentence a task on a frontend.

    Args:
        results: `Results`.
        frontend: Its name.

    Returns:
        A list of sentences.

    >>> from benchmarks.suite.results import collect
    >>> from benchmarks.suite.runs import Run
    >>> counts = {f"kit {n}": (5, 10) for n in range(9)}
    >>> better = {f"kit {n}": (7 + n % 2, 10) for n in range(9)}
    >>> runs = [Run.made_up("drums", "mel", seed, counts) for seed in range(3)]
    >>> runs += [Run.made_up("drums", "leaf", seed, better) for seed in range(3)]
    >>> sentences(collect(runs), "leaf")
    ['drums: leaf +24.4 points (21.1 to 28.9) clean.']
    """
    found = []
    for task in results.tasks:
        encoder = results.verdict_encoder(task, frontend)
        differences = {}
        for condition in JUDGED:
            score = results.scores.get(Key(task, encoder, frontend, condition))
            if score is not None and score.difference is not None:
                differences[condition] = score.difference
        if differences:
            found.append(f"{task}: {frontend} {_sentence(differences)}.")
    return found


def _sentence(differences):
    """What {condition: `Difference`} of a task say."""
    sure = [name for name, d in differences.items() if d.excludes_zero]
    parts = []
    if CLEAN in differences:
        tells = "" if CLEAN in sure else ", 0 not excluded"
        parts.append(f"{_in_words(differences[CLEAN], ' points')} clean{tells}")
    parts += [
        f"{_in_words(differences[name], '')} {_where(name)}"
        for name in sure
        if name != CLEAN
    ]
    n_others = len({*differences} - {CLEAN, *sure})
    if n_others:
        parts.append(f"0 not excluded in {counted(n_others, 'other condition')}")
    return "; ".join(parts)


def _where(condition):
    if condition in _CLEAN_TITLES:
        return condition.replace("clean at", "after") + (
            "" if condition == CLEAN else " of the steps"
        )
    return f"at {condition}" if condition.startswith("gain") else f"in {condition}"


def _in_words(difference, unit):
    mean = points(difference.mean)
    if difference.interval is None:
        return f"{mean}{unit}"
    low, high = difference.interval
    return f"{mean}{unit} ({100 * low:.1f} to {100 * high:.1f})"


def _about(task):
    about = {known.name: known.about for known in TASKS}.get(task, task)
    return f"{about[0].upper()}{about[1:]}."


def _table(results, task, encoder):
    """Lines of the table of a task and encoder: accuracies, then differences."""
    conditions = [
        name
        for name in _TITLES
        if any(
            Key(task, encoder, frontend, name) in results.scores
            for frontend in results.frontends
        )
    ]
    encoders = [name for name in results.encoders(task) if name != ALL_ENCODERS]
    title = "mean of encoders" if encoder == ALL_ENCODERS and encoders else encoder
    rows = []
    for frontend in results.frontends:
        scores = [
            results.scores.get(Key(task, encoder, frontend, name))
            for name in conditions
        ]
        if not any(scores):
            continue
        n_seeds = max(len(score.values) for score in scores if score)
        rows.append(
            [
                frontend,
                f"{n_seeds}",
                *(f"{100 * s.estimate.mean:.1f}" if s else "" for s in scores),
            ]
        )
        if frontend != results.baseline:
            rows.append(
                [f"minus {results.baseline}", "", *map(difference_cell, scores)]
            )
    titles = [title, "seeds", *(_TITLES[name] for name in conditions)]
    return list(plain_table(titles, rows))
