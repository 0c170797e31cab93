"""Hosts connect before they work together: messages name the missing hosts.

JAX's own rendezvous ends the process with a stack dump when a host is missing.
"""

import contextlib
import json
import socket
import time

from leaf_files.errors import UserError

# Largest greeting, some settings as JSON; no more is read from unknown peers.
_MAX_BYTES = 2**16


def meet(settings, greeting, seconds=300.0):
    """Waits until all hosts are connected and have sent the same greeting.

    Args:
        settings: `HostSettings` of this host.
        greeting: String that has to be the same on all hosts.
        seconds: Time to wait.

    Raises:
        UserError: A host is missing after this time, has another greeting or the index
            of another host, or the address can't be used.
    """
    host, _, port = settings.coordinator.rpartition(":")
    deadline = time.monotonic() + seconds
    address = (host.strip("[]"), int(port))
    if settings.index == 0:
        _receive(settings, address, greeting, deadline)
    else:
        _connect(settings, address, greeting, deadline)


def _receive(settings, address, greeting, deadline):
    """Accepts the other hosts, as the first host."""
    peers: dict[int, socket.socket] = {}
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listener(settings, address))
        while len(peers) < settings.n_hosts - 1:
            try:
                listener.settimeout(max(0.01, deadline - time.monotonic()))
                peer, _ = listener.accept()
            except TimeoutError:
                missing = sorted(set(range(1, settings.n_hosts)) - peers.keys())
                error = UserError(
                    f"of {settings.n_hosts} hosts these didn't come to "
                    f"{settings.coordinator}: {', '.join(map(str, missing))}; start "
                    "the same command on each, with its own --host-index"
                )
                _answer(peers.values(), str(error))
                raise error from None
            stack.enter_context(peer)
            peer.settimeout(10)
            message = _read(peer)
            if message is None:  # not one of the hosts
                continue
            problem = _problem(settings, message, greeting, peers)
            if problem:
                _answer([peer, *peers.values()], problem)
                raise UserError(problem)
            peers[message["index"]] = peer
        _answer(peers.values(), "")


def _listener(settings, address):
    host, port = address
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # At all addresses of this host: its name may resolve to one that no other host
        # reaches.
        return socket.create_server(("", port), family=family)
    except OSError as error:
        raise UserError(
            f"cannot listen at {settings.coordinator}: {error.strerror or error}; "
            "name an address of this host, and a free port, as --coordinator"
        ) from error


def _problem(settings, message, greeting, peers):
    """A message about a host's wrong greeting, or None."""
    index, n_hosts = message["index"], message["n_hosts"]
    if n_hosts != settings.n_hosts:
        return f"host {index} has --n-hosts {n_hosts}, host 0 {settings.n_hosts}"
    if index in peers or index == 0:
        return f"two hosts have --host-index {index}; give each its own"
    if message["greeting"] != greeting:
        return (
            f"host {index} has other settings than host 0: {message['greeting']}; host "
            f"0 has {greeting}"
        )
    return None


def _connect(settings, address, greeting, deadline):
    """Connects to the first host, as one of the others."""
    message = {
        "index": settings.index,
        "n_hosts": settings.n_hosts,
        "greeting": greeting,
    }
    while True:
        try:
            wait = deadline - time.monotonic()
            with socket.create_connection(address, timeout=max(0.01, wait)) as first:
                first.settimeout(wait + 10)  # the first host ends the wait of all
                first.sendall(json.dumps(message).encode() + b"\n")
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
                f"host 0 at {settings.coordinator} closed the connection before all "
                "hosts were connected; see its output"
            )
        if answer["problem"]:
            raise UserError(answer["problem"])
        return


def _read(peer):
    """A line of JSON; None if there is none."""
    try:
        with peer.makefile("rb") as file:
            message = json.loads(file.readline(_MAX_BYTES))
    except (OSError, ValueError):
        return None
    return message if isinstance(message, dict) else None


def _answer(peers, problem):
    for peer in peers:
        with contextlib.suppress(OSError):
            peer.sendall(json.dumps({"problem": problem}).encode() + b"\n")
