"""Which of many hosts this is; imports nothing heavy."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class HostSettings:
    """Which of many hosts this is.

    Attributes:
        coordinator: "address:port" of the first host, the same for all.
        n_hosts: How many there are.
        index: Of this one, from 0.
    """

    coordinator: str
    n_hosts: int
    index: int
