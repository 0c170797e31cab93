"""Hosts meet before they work together: messages name the hosts that are missing.

JAX's own meeting ends the process with a dump of its stack when a host doesn't come.
"""

import contextlib
import json
import socket
import time

from leaf_files.errors import UserError

# A greeting is some settings as JSON; no more is read of a stranger.
_LONGEST = 2**16


def meet(settings, greeting, seconds=300.0):
    """Waits until all hosts are there and have greeted alike.

    Args:
        settings: `HostSettings` of this host.
        greeting: String that has to be the same on all hosts.
        seconds: Time to wait.

    Raises:
        UserError: Some host doesn't come in time, greets otherwise or has an index
            that another has, or the address is not usable.
    """
    host, _, port = settings.coordinator.rpartition(":")
    deadline = time.monotonic() + seconds
    address = (host.strip("[]"), int(port))
    if settings.index == 0:
        _receive(settings, address, greeting, deadline)
    else:
        _call(settings, address, greeting, deadline)


def _receive(settings, address, greeting, deadline):
    """Waits for the others, as the first host."""
    guests: dict[int, socket.socket] = {}
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listener(settings, address))
        while len(guests) < settings.n_hosts - 1:
            try:
                listener.settimeout(max(0.01, deadline - time.monotonic()))
                guest, _ = listener.accept()
            except TimeoutError:
                missing = sorted(set(range(1, settings.n_hosts)) - guests.keys())
                error = UserError(
                    f"of {settings.n_hosts} hosts these didn't come to "
                    f"{settings.coordinator}: {', '.join(map(str, missing))}; start "
                    "the same command on each, with its own --host-index"
                )
                _answer(guests.values(), str(error))
                raise error from None
            stack.enter_context(guest)
            guest.settimeout(10)
            words = _read(guest)
            if words is None:  # a stranger
                continue
            problem = _problem(settings, words, greeting, guests)
            if problem:
                _answer([guest, *guests.values()], problem)
                raise UserError(problem)
            guests[words["index"]] = guest
        _answer(guests.values(), "")


def _listener(settings, address):
    host, port = address
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # At all addresses of this host: its own name may mean one that no other
        # host reaches.
        return socket.create_server(("", port), family=family)
    except OSError as error:
        raise UserError(
            f"cannot listen at {settings.coordinator}: {error.strerror or error}; "
            "name an address of this host, and a free port, as --coordinator"
        ) from error


def _problem(settings, words, greeting, guests):
    """A message about a host's greeting that is wrong, or None."""
    index, n_hosts = words["index"], words["n_hosts"]
    if n_hosts != settings.n_hosts:
        return f"host {index} has --n-hosts {n_hosts}, host 0 {settings.n_hosts}"
    if index in guests or index == 0:
        return f"two hosts have --host-index {index}; give each its own"
    if words["greeting"] != greeting:
        return (
            f"host {index} has other settings than host 0: {words['greeting']}; host "
            f"0 has {greeting}"
        )
    return None


def _call(settings, address, greeting, deadline):
    """Calls the first host, as one of the others."""
    words = {
        "index": settings.index,
        "n_hosts": settings.n_hosts,
        "greeting": greeting,
    }
    while True:
        try:
            wait = deadline - time.monotonic()
            with socket.create_connection(address, timeout=max(0.01, wait)) as first:
                first.settimeout(wait + 10)  # it ends the waiting, for all
                first.sendall(json.dumps(words).encode() + b"\n")
                answer = _read(first)
        except OSError as error:
            if time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            raise UserError(
                f"cannot reach host 0 at {settings.coordinator}: "
                f"{error.strerror or error}; start the same command there with "
                "--host-index 0, and name an address that all hosts reach"
            ) from error
        if answer is None:
            raise UserError(
                f"host 0 at {settings.coordinator} went away before all hosts were "
                "there; see what it says"
            )
        if answer["problem"]:
            raise UserError(answer["problem"])
        return


def _read(peer):
    """A line of JSON; None if there is none."""
    try:
        with peer.makefile("rb") as file:
            words = json.loads(file.readline(_LONGEST))
    except (OSError, ValueError):
        return None
    return words if isinstance(words, dict) else None


def _answer(guests, problem):
    for guest in guests:
        with contextlib.suppress(OSError):
            guest.sendall(json.dumps({"problem": problem}).encode() + b"\n")
