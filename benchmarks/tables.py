"""Results as text."""


def speed_table(results, unit="x mel"):
    """One block a comparison: contestant, median, quartiles, ratio to mel.

    Args:
        results: What was measured.
        unit: Unit of the ratio.
    """
    lines = [_machine(results["machine"])]
    comparisons = dict.fromkeys(row["comparison"] for row in results["rows"])
    for title in comparisons:
        rows = [row for row in results["rows"] if row["comparison"] == title]
        width = max(len(row["contestant"]) for row in rows)
        lines += ["", title]
        for row in rows:
            name = f"  {row['contestant']:<{width}}"
            if "ratio" in row:
                low, high = row["quartiles_ms"]
                lines.append(
                    f"{name}  {row['median_ms']:9.2f} ms ({low:.2f} to {high:.2f})"
                    f"  {row['ratio']:6.2f} {unit}{_multiplications(row)}"
                )
            else:
                lines.append(
                    f"{name}  {row['peak_mib']:7.0f} MiB in all, "
                    f"{row['added_mib']:.0f} MiB more than 1 s"
                )
    return "\n".join(lines)


def _multiplications(row):
    many = row.get("multiplications")
    return "" if many is None else f"  {many:.0f} multiplications a sample"


def accuracy_table(results):
    """Errors of the PCEN output by signal, then of random filterbanks."""
    lines = [
        _machine(results["machine"]),
        "",
        "Fast against exact LEAF, difference of the PCEN output, by initial filters:",
    ]
    width = max(len(row["signal"]) for row in results["signals"])
    for row in results["signals"]:
        lines.append(
            f"  {row['initial_filters']:<12}  {row['signal']:<{width}}"
            f"  max {row['max']:.1e}  mean {row['mean']:.1e}"
            f"  in filter {row['worst_filter']}, frame {row['worst_frame']} of "
            f"{row['frames']}"
        )
    lines += [
        "",
        "Random filterbanks on white noise, relative RMS error of pooled energies:",
    ]
    for row in results["banks"]:
        lines.append(
            f"  bank {row['bank']:>3}  {row['cost']:6.0f} multiplications a sample  "
            f"predicted {row['predicted']:.1e}  measured {row['measured']:.1e}, "
            f"{row['measured_there']:.1e} in the filter predicted worst"
        )
    return "\n".join(lines)


def input_table(results):
    """Clips a second of each way of reading, by what is read."""
    machine = results["machine"]
    lines = [
        f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, "
        f"TensorFlow {machine['tensorflow']}"
    ]
    for clips in dict.fromkeys(row["clips"] for row in results["rows"]):
        lines += ["", clips]
        for row in results["rows"]:
            if row["clips"] == clips:
                low, high = row["quartiles"]
                lines.append(
                    f"  {row['way']:<24}  {row['clips_per_second']:8.0f} clips/s "
                    f"({low:.0f} to {high:.0f}), {row['times_real_time']:.0f} times "
                    "real time"
                )
    return "\n".join(lines)


def plans_table(results):
    """Processor seconds and multiplications a sample of each plan."""
    lines = [_machine(results["machine"]), ""]
    for row in results["rows"]:
        lines.append(
            f"  {row['setting']:<24}  {row['processor_seconds']:6.2f} s of processor  "
            f"{row['multiplications']:6.0f} multiplications a sample"
        )
    return "\n".join(lines)


def start_table(results):
    """The table of starts: seconds, clips a second and memory."""
    lines = [_machine(results["machine"])]
    for row in results["rows"]:
        lines += [
            "",
            f"{row['n_clips']} {row['start']}",
            f"  {row['first_step_seconds']:.1f} s to the first step, "
            f"{row['processor_seconds']:.1f} s of processor",
            f"  {row['ready_seconds']:.1f} s until they are known and split, "
            f"{row['clips_per_second']:.0f} clips/s",
            f"  {row['peak_bytes'] / 2**20:.0f} MiB at most",
        ]
    return "\n".join(lines)


def load_table(results):
    """The table of requests, streams, failures and memory."""
    server, streamed = results["server"], results["stream"]
    latency = server["latency_ms"]
    failed = sum(server["errors"].values())
    lines = [
        _machine(results["machine"]),
        "",
        f"SavedModel, {server['n_clients']} clients at once",
        f"  {server['n_requests']} requests, {server['requests_per_second']:.0f} a "
        f"second, {failed} failed",
        *(f"    {count} x {text}" for text, count in server["errors"].items()),
        f"  latency {latency['median']:.0f} ms, 99 in 100 within "
        f"{latency['99 in 100']:.0f} ms",
        f"  largest difference to the answers one by one "
        f"{server['largest_difference']:.1e}",
        _memory(server["memory"]),
    ]
    if streamed:
        lines += [
            "",
            f"Stream of {streamed['hours']:.3g} h",
            f"  {streamed['n_chunks']} chunks, real-time factor "
            f"{streamed['real_time_factor']:.5f}",
            f"  largest difference at its end to a stream that heard the end alone "
            f"{streamed['largest_difference']:.1e}",
            _memory(streamed["memory"]),
        ]
    return "\n".join(lines)


def _memory(memory):
    early, late, peak = (
        memory[f"{when}_bytes"] / 2**20 for when in ("early", "late", "peak")
    )
    return (
        f"  memory {early:.1f} MiB after a tenth, {late:.1f} MiB at the end "
        f"({late - early:+.1f}), {peak:.1f} MiB at most"
    )


def _machine(machine):
    return (
        f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, "
        f"Keras {machine['keras']} on {machine['backend']}"
    )
