"""The place of this host among many; imports nothing heavy."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class HostSettings:
    """The place of this host among many.

    Attributes:
        coordinator: "address:port" of the first host, the same for all.
        n_hosts: Number of hosts.
        index: Number of this host, from 0.
    """

    coordinator: str
    n_hosts: int
    index: int
