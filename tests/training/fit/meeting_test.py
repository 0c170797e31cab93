import socket
import threading
import time

import pytest

from leaf_files.errors import UserError
from training.fit.meeting import meet
from training.settings.hosts import HostSettings


def free_address():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listener.getsockname()[1]}"


def meet_all(*hosts, seconds=60.0):
    """Lets hosts (n_hosts, index, greeting) meet; what each ended with."""
    address = free_address()
    ends = [None] * len(hosts)

    def run(place, n_hosts, index, greeting):
        try:
            meet(HostSettings(address, n_hosts, index), greeting, seconds)
            ends[place] = "met"
        except UserError as error:
            ends[place] = str(error)

    threads = [
        threading.Thread(target=run, args=(place, *host))
        for place, host in enumerate(hosts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return ends


def test_those_who_greet_alike_meet():
    hosts = [(3, index, "settings") for index in (2, 0, 1)]
    assert meet_all(*hosts) == ["met"] * 3
    assert meet_all((1, 0, "alone")) == ["met"]


def test_who_is_missing_is_said_to_those_who_came():
    first, second = meet_all((4, 0, ""), (4, 2, ""), seconds=3.0)
    assert "of 4 hosts these didn't come to 127.0.0.1:" in first
    assert first == second and ": 1, 3; start the same command on each" in first


def test_a_first_host_that_does_not_come():
    started = time.monotonic()
    [end] = meet_all((2, 1, ""), seconds=0.5)
    assert end.startswith("cannot reach host 0 at 127.0.0.1:")
    assert time.monotonic() - started > 0.4


@pytest.mark.parametrize(
    "other, message",
    [
        ((2, 1, "seed 1"), "host 1 has other settings than host 0: seed 1; host 0 has"),
        ((3, 1, "seed 0"), "host 1 has --n-hosts 3, host 0 2"),
    ],
)
def test_those_who_differ_are_told(other, message):
    ends = meet_all((2, 0, "seed 0"), other)
    assert ends[0] == ends[1] and ends[0].startswith(message)


def test_two_of_one_index_are_told():
    ends = meet_all((3, 0, ""), (3, 1, ""), (3, 1, ""))
    assert ends == ["two hosts have --host-index 1; give each its own"] * 3


def test_strangers_are_passed_over():
    address = free_address()
    settings = [HostSettings(address, 2, index) for index in (0, 1)]
    first = threading.Thread(target=meet, args=(settings[0], "", 60.0))
    first.start()
    name, port = address.split(":")
    for words in (b"GET / HTTP/1.1\r\n\r\n", b"[1]\n", b""):
        for _ in range(100):
            try:
                with socket.create_connection((name, int(port))) as stranger:
                    stranger.sendall(words)
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
    meet(settings[1], "", 60.0)
    first.join(120)
    assert not first.is_alive()


def test_an_address_that_cannot_be_listened_at():
    with socket.create_server(("", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UserError, match="cannot listen at .* Address already in"):
            meet(HostSettings(address, 2, 0), "")
