"""Settings that people use: filters and sample rates of well-known classifiers."""

from typing import NamedTuple

from leaf_files.errors import UserError


class Setting(NamedTuple):
    """Size of a filterbank; windows are of 25 ms, a frame comes every 10 ms.

    Attributes:
        n_filters: Filters.
        sample_rate: Hz.
    """

    n_filters: int
    sample_rate: int

    def __str__(self):
        return f"{self.n_filters} filters, {self.sample_rate / 1000:g} kHz"


# By the classifier whose filters and rate these are.
KNOWN = {
    "leaf": Setting(40, 16000),
    "yamnet": Setting(64, 16000),
    "whisper": Setting(80, 16000),
    "pann": Setting(64, 32000),
    "perch": Setting(128, 32000),
    "birdnet": Setting(96, 48000),
}


def settings_named(names):
    """{name: `Setting`} of a list of names.

    Raises:
        UserError: There is no setting of a name.

    >>> settings_named(["yamnet"])
    {'yamnet': Setting(n_filters=64, sample_rate=16000)}
    """
    unknown = [name for name in names if name not in KNOWN]
    if unknown:
        raise UserError(
            f"there are no settings {', '.join(unknown)}; there are {', '.join(KNOWN)}"
        )
    return {name: KNOWN[name] for name in names}
