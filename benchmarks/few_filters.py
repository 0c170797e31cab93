"""`python -m benchmarks tflite`: what frontends with few filters cost on a phone.

One thread, one clip of 1 s, as TFLite files. Frontends are made as `fit` makes them.
"""

import math

from benchmarks import tflite
from benchmarks.suite.plan import frontend_settings
from benchmarks.timing import interleave
from leaf_files.errors import UserError
from training.settings.config import FitConfig

_THREADS = 1


def measure(frontends, numbers, sample_rate, seconds_each):
    """Times frontends with several numbers of filters, all in turn.

    Args:
        frontends: Names or specifications of `python -m training compare`; the others
            are compared with the first.
        numbers: Numbers of filters.
        sample_rate: Rate of the waveforms, Hz.
        seconds_each: Time to spend on each.

    Returns:
        Rows as those of `benchmarks.speed`, with "frontend", "n_filters",
        "sample_rate" and "multiplications", see `multiplications`.

    Raises:
        UserError: There is no such frontend, or it can't be made.
    """
    made = {
        (name, number): make(name, number, sample_rate)
        for number in numbers
        for name in frontends
    }
    files = {key: tflite.convert(layer, sample_rate) for key, layer in made.items()}
    calls = {
        key: tflite.call(content, _THREADS, sample_rate)
        for key, content in files.items()
    }
    # Names as text: turns are drawn among them.
    times = interleave(
        {"/".join(map(str, key)): function for key, function in calls.items()},
        seconds_each,
    )
    rows = []
    for (name, number), layer in made.items():
        taken = times[f"{name}/{number}"]
        baseline = times[f"{frontends[0]}/{number}"]
        rows.append(
            {
                "comparison": f"1 x 1 s at {sample_rate} Hz, TFLite, {_THREADS} "
                f"thread, {number} filters",
                "contestant": name,
                "frontend": name,
                "n_filters": number,
                "sample_rate": sample_rate,
                "threads": _THREADS,
                "median_ms": 1e3 * taken.median,
                "quartiles_ms": [1e3 * quartile for quartile in taken.quartiles],
                "ratio": taken.median / baseline.median,
                "bytes": len(files[name, number]),
                "multiplications": multiplications(layer),
            }
        )
    return rows


def make(frontend, n_filters, sample_rate):
    """A built frontend as `fit` makes it.

    Args:
        frontend: Name or specification.
        n_filters: Number of filters.
        sample_rate: Rate of the waveforms, Hz.

    Raises:
        UserError: There is no such frontend, or it can't be made.
    """
    from training.run.models import make_frontend

    settings = frontend_settings(frontend)
    if "n_filters" in settings:
        raise UserError(
            f"numbers of filters are given by --n-filters. Received: {frontend}"
        )
    config = FitConfig("any", n_filters=n_filters, sample_rate=sample_rate, **settings)
    layer = make_frontend(config)
    layer.build((None, None))
    return layer


def multiplications(frontend):
    """Real multiplications a sample of the energies of a frontend, or None if unknown.

    LEAF: those of its plan. Mel: window, a real FFT of N points by a complex one of
    N / 2 (2 N log2(N / 2) / 2 + 2 N), powers, and the matrix of all bins and bands as
    TFLite multiplies it; once a hop.

    Args:
        frontend: A built layer.

    >>> import leaf_tf
    >>> mel = leaf_tf.MelFilterbanks(n_filters=40)
    >>> round(multiplications(mel))
    103
    """
    import leaf_tf

    if isinstance(frontend, leaf_tf.Leaf):
        return frontend.plan and frontend.plan.multiplications_per_sample
    if isinstance(frontend, leaf_tf.MelFilterbanks):
        n_fft = frontend.n_fft
        n_bins = n_fft // 2 + 1
        transform = n_fft * math.log2(n_fft / 2) + 2 * n_fft
        each = n_fft + transform + 2 * n_bins + n_bins * frontend.n_filters
        return each / frontend.strides
    return None
