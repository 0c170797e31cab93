"""Measures the frontends: `python -m benchmarks frontends` and `accuracy`.

Speed is only ever said as a ratio: all contestants take turns in one run, since a
machine's speed drifts. Nothing imports this package.
"""
