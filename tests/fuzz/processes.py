"""Runs fuzzers in processes of their own, and counts how their cases ended."""

import json
import subprocess
import sys


def run_cases(module, n_cases, seed, *arguments, timeout=1500):
    """Runs `python -m MODULE CASES SEED ARGUMENT...`.

    Prints how many cases ended in which way.

    Returns:
        {end: cases}, as the process printed it.

    Raises:
        AssertionError: It crashed, or found something wrong; with its last lines.
    """
    command = [sys.executable, "-m", module, str(n_cases), str(seed)]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
    )
    last = "\n".join(done.stderr.splitlines()[-30:])
    assert done.returncode == 0, f"exit code {done.returncode}\n{last}"
    ends = json.loads(done.stdout.splitlines()[-1])
    assert sum(ends.values()) == n_cases
    print(f"{module}, seed {seed}: {n_cases} cases, {ends}")
    return ends
