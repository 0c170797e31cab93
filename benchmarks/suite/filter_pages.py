"""The pages on few filters: a section of the report, filters.csv, figures."""

from benchmarks.suite import filter_figures
from benchmarks.suite.cells import difference_cell, points
from benchmarks.suite.conditions import CLEAN
from benchmarks.suite.filters import SHIFTED
from leaf_files.atomic import write_csv
from leaf_files.errors import UserError
from leaf_files.json_files import read_json
from leaf_files.tables import plain_table

COSTS = "tflite.json"  # in the folder of a suite: what benchmarks tflite measured
_TITLES = {CLEAN: "clean", SHIFTED: f"mean of {SHIFTED}"}


def write(output, numbers):
    """Writes figures and `filters.csv`; returns the lines of the report.

    Args:
        output: Folder of the suite, a Path.
        numbers: `ByFilters`.

    Returns:
        A list of lines; empty without several numbers of filters.

    Raises:
        UserError: `COSTS` in the folder isn't what `benchmarks tflite` writes.
    """
    if not numbers.numbers:
        return []
    costs = read_costs(output / COSTS)
    write_csv(output / "filters.csv", csv_rows(numbers, costs))
    pictures = filter_figures.draw(numbers, costs, output / "figures")
    return section(numbers, costs, pictures)


def read_costs(path):
    """{(family, number of filters): row} of a file of `benchmarks tflite`.

    Args:
        path: The file, a Path; without one there are no costs.

    Raises:
        UserError: It can't be read.
    """
    if not path.exists():
        return {}
    try:
        return {
            (row["frontend"], row["n_filters"]): {
                "median_ms": float(row["median_ms"]),
                "multiplications": row["multiplications"],
                "sample_rate": int(row["sample_rate"]),
            }
            for row in read_json(path)["rows"]
        }
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"cannot read the costs in {path}: {error!r:.200}; measure them anew: "
            f"python -m benchmarks tflite --json {path}"
        ) from error


def csv_rows(numbers, costs):
    """Rows of `filters.csv`, one a task, family, number of filters and condition.

    Args:
        numbers: `ByFilters`.
        costs: See `read_costs`.
    """
    rows = []
    for task, name, number, condition, score in _scores(numbers):
        difference = score.difference
        ends = difference and difference.interval
        cost = costs.get((name, number), {})
        rows.append(
            {
                "task": task,
                "encoder": numbers.results[number].verdict_encoder(task, name),
                "frontend": name,
                "n_filters": number,
                "condition": condition,
                "on": numbers.results[number].on,
                "n_seeds": len(score.values),
                "accuracy": round(score.estimate.mean, 5),
                "difference": difference and round(difference.mean, 5),
                "low": ends and round(ends[0], 5),
                "high": ends and round(ends[1], 5),
                "excludes_zero": difference and difference.excludes_zero,
                "tflite_ms": cost.get("median_ms"),
                "multiplications": cost.get("multiplications"),
            }
        )
    return rows


def _scores(numbers):
    for task in numbers.tasks:
        for name in numbers.families:
            for number in numbers.numbers:
                for condition in _TITLES:
                    score = numbers.score(task, name, number, condition)
                    if score is not None:
                        yield task, name, number, condition, score


def section(numbers, costs, pictures):
    """Lines of the report.

    Args:
        numbers: `ByFilters`.
        costs: See `read_costs`.
        pictures: {name: path of a figure, relative to the report}.
    """
    baseline = numbers.baseline
    lines = [
        "## Few filters",
        "",
        f"Accuracies, and differences to {baseline} of as many filters, paired by "
        "seed, of the encoders and seeds that all of these frontends have; intervals "
        f"as above. {SHIFTED.capitalize()}: the mean of these conditions, each counted "
        "once.",
        "",
    ]
    if "filters" in pictures:
        lines += [f"![accuracy by number of filters]({pictures['filters']})", ""]
    for condition in _TITLES:
        lines += [*_table(numbers, condition), ""]
    if costs:
        lines += [*_cost_table(numbers, costs), ""]
    if "filters_cost" in pictures:
        lines += [f"![accuracy by cost]({pictures['filters_cost']})", ""]
    return lines


def _table(numbers, condition):
    rows = []
    for task in numbers.tasks:
        for name in numbers.families:
            scores = [numbers.score(task, name, n, condition) for n in numbers.numbers]
            found = [score for score in scores if score is not None]
            if not found:
                continue
            seeds = f"{max(len(score.values) for score in found)}"
            cells = [f"{100 * s.estimate.mean:.1f}" if s else "" for s in scores]
            rows.append([task, name, seeds, *cells])
            if name != numbers.baseline:
                minus = f"minus {numbers.baseline}"
                rows.append(["", minus, "", *map(difference_cell, scores)])
    rows += _mean_rows(numbers, condition)
    titles = [f"{n} filters" for n in numbers.numbers]
    yield from plain_table([_TITLES[condition], "frontend", "seeds", *titles], rows)


def _mean_rows(numbers, condition):
    """Rows of the mean over the tasks that all frontends were run on, if several."""
    if len(numbers.common_tasks) < 2:
        return
    for name in numbers.families:
        means = [numbers.mean(name, number, condition) for number in numbers.numbers]
        of = f"mean of {len(numbers.common_tasks)} tasks"
        yield [of, name, "", *(f"{100 * mean:.1f}" for mean, _ in means)]
        if name != numbers.baseline:
            cells = [_estimate_cell(estimate) for _, estimate in means]
            yield ["", f"minus {numbers.baseline}", "", *cells]


def _estimate_cell(estimate):
    """A cell of a difference over seeds alone, "**+6.1** (2.0 to 10.2)"."""
    if estimate is None:
        return ""
    mean = points(estimate.mean)
    if estimate.low is None:
        return mean
    mean = f"**{mean}**" if estimate.excludes_zero else mean
    return f"{mean} ({100 * estimate.low:.1f} to {100 * estimate.high:.1f})"


def _cost_table(numbers, costs):
    rows = []
    for name in numbers.families:
        for number in numbers.numbers:
            cost = costs.get((name, number))
            if cost is None:
                continue
            other = costs.get((numbers.baseline, number))
            ratio = other and cost["median_ms"] / other["median_ms"]
            many = cost["multiplications"]
            rows.append(
                [
                    name,
                    f"{number}",
                    "" if many is None else f"{many:.0f}",
                    f"{cost['median_ms']:.2f}",
                    "" if ratio is None else f"{ratio:.2f}",
                ]
            )
    rate = " and ".join(map(str, sorted({c["sample_rate"] for c in costs.values()})))
    yield from plain_table(
        [
            "frontend",
            "filters",
            "multiplications a sample",
            f"ms for 1 s at {rate} Hz, TFLite, 1 thread",
            f"x {numbers.baseline} of as many",
        ],
        rows,
    )
