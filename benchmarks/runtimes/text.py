"""The results as a Markdown table."""

from benchmarks.runtimes.rows import LIMITS
from export.report.parity import TOLERANCE


def markdown(results):
    """The table of windows, and that of a stream's chunks.

    Args:
        results: What `measuring.measure` returns.
    """
    machine = results["machine"]
    parts = [
        f"{machine['date']}, {machine['processor']}, one thread; Keras "
        f"{machine['keras']}; {results['n_windows']} windows of "
        f"{results['window_samples']} samples."
    ]
    streams = [row for row in results["rows"] if "streaming" in row["file"]]
    windows = [row for row in results["rows"] if row not in streams]
    if windows:
        parts.append(_table("one window", windows))
    if streams:
        parts.append(_table("one chunk", streams))
    return "\n\n".join(parts)


def _table(sound, rows):
    lines = [
        "| file | runtime | name | largest difference | "
        f"{sound} | beside LiteRT | can't do |",
        "| --- | --- | --- | ---: | ---: | ---: | --- |",
        *map(_line, rows),
    ]
    return "\n".join(lines)


def _line(row):
    limit = LIMITS[row["runtime"]]
    start = f"| `{row['file']}` | {row['title']}"
    if "absent" in row:
        return f"{start} | `{row['runtime']}` | {row['absent']} | | | {limit} |"
    difference = f"{row['max_difference']:.1e}"
    if not row["max_difference"] <= TOLERANCE:
        difference = f"**{difference}**"
    ratio = f"{row['ratio']:.2f}" if "ratio" in row else ""
    return (
        f"{start} {row['version']} | `{row['runtime']}` | {difference} | "
        f"{row['median_ms']:.2f} ms | {ratio} | {limit} |"
    )
