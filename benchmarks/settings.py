"""Settings that people use: filters and sample rates of well-known classifiers."""

from typing import NamedTuple

from leaf_files.errors import UserError


class Setting(NamedTuple):
    """Size of a filterbank; a frame comes every 10 ms.

    Attributes:
        n_filters: Filters.
        sample_rate: Hz.
        window_len: Window of LEAF, ms; mel's is of 25.
    """

    n_filters: int
    sample_rate: int
    window_len: float = 25.0

    def __str__(self):
        window = f", {self.window_len:g} ms" * (self.window_len != 25.0)
        return f"{self.n_filters} filters, {self.sample_rate / 1000:g} kHz{window}"


# By the classifier whose filters and rate these are.
KNOWN = {
    "leaf": Setting(40, 16000),
    "yamnet": Setting(64, 16000),
    "whisper": Setting(80, 16000),
    "pann": Setting(64, 32000),
    "perch": Setting(128, 32000),
    "birdnet": Setting(96, 48000),
    "many": Setting(128, 16000),
    # In windows that have room for all filters, see `training.run.short_windows`.
    "whisper_32ms": Setting(80, 16000, 32.0),
    "perch_50ms": Setting(128, 32000, 50.0),
    "birdnet_40ms": Setting(96, 48000, 40.0),
    "many_50ms": Setting(128, 16000, 50.0),
}


def settings_named(names):
    """{name: `Setting`} of a list of names.

    Raises:
        UserError: There is no setting of a name.

    >>> settings_named(["yamnet"])
    {'yamnet': Setting(n_filters=64, sample_rate=16000, window_len=25.0)}
    """
    unknown = [name for name in names if name not in KNOWN]
    if unknown:
        raise UserError(
            f"there are no settings {', '.join(unknown)}; there are {', '.join(KNOWN)}"
        )
    return {name: KNOWN[name] for name in names}
