"""The place of this host among many; imports nothing heavy."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class HostSettings:
    """The place of this host among many.

    Attributes:
        coordinator: "address:port" of the first host, the same for all.
        n_hosts: Number of hosts.
        index: Number of this host, from 0.

    >>> HostSettings("10.0.0.1:1234", n_hosts=2, index=1).index
    1
    """

    coordinator: str
    n_hosts: int
    index: int
