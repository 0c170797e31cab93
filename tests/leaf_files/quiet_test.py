import os
import threading

from leaf_files.quiet import (
    native_logs_hidden,
    native_logs_kept,
    native_output_hidden,
)


def write(text):
    os.write(2, text.encode())


def test_what_native_code_writes_is_dropped_and_stderr_comes_back(capfd):
    with native_logs_hidden():
        write("hidden")
    write("shown")
    assert capfd.readouterr().err == "shown"


def test_both_streams_are_dropped_and_come_back(capfd):
    with native_output_hidden():
        write("hidden")
        os.write(1, b"hidden")
    os.write(1, b"shown")
    write("shown, too")
    assert capfd.readouterr() == ("shown", "shown, too")


def test_what_is_kept_can_be_read_and_stderr_comes_back(capfd):
    with native_logs_kept() as log:
        write("kept")
        assert log() == "kept"
        write(", and more")
        assert log() == "kept, and more"
    write("shown")
    assert capfd.readouterr().err == "shown"


def test_blocks_within_blocks_and_an_exception(capfd):
    try:
        with native_logs_hidden():
            with native_logs_hidden():
                write("hidden")
            write("hidden, too")
            raise KeyError
    except KeyError:
        write("shown")
    assert capfd.readouterr().err == "shown"


def test_threads_inside_at_once_leave_stderr_as_it_was(capfd):
    inside, leave = threading.Event(), threading.Event()

    def stay():
        with native_logs_hidden():
            inside.set()
            leave.wait(120)

    before = (
        set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    )
    thread = threading.Thread(target=stay)
    thread.start()
    assert inside.wait(120)
    with native_logs_hidden():
        leave.set()
        thread.join()
        write("hidden")
    write("shown")
    assert capfd.readouterr().err == "shown"
    if before is not None:  # no descriptor is left open
        assert len(os.listdir("/proc/self/fd")) == len(before)
