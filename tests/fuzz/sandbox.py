"""Where fuzzers run commands: what they answer, and where they write, is watched."""

import collections
import contextlib
import json
import os
import pathlib
import signal
import sys
import tempfile
import traceback

from leaf_files import command_line

SECONDS_A_CASE = 60


class Sandbox:
    """A folder; anything that is opened for writing elsewhere ends the process.

    Args:
        folder: Its path.

    Attributes:
        case: A folder for the files of a case.
        output: A folder that commands may write.
    """

    def __init__(self, folder):
        self._folder = pathlib.Path(folder).resolve()
        self.case = self._folder / "case"
        self.output = self._folder / "output"
        temporary = self._folder / "temporary"
        temporary.mkdir(parents=True, exist_ok=True)
        os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
        os.environ["LEAF_TF_CACHE"] = str(temporary / "cache")
        self._writable = [str(temporary), str(self.output), os.devnull]
        self._watching = False
        sys.addaudithook(self._audit)

    def run(self, dispatch, *argv):
        """Runs a command.

        Returns:
            "answered" or "refused".

        Raises:
            AssertionError: It ended in another way than with an answer, or one line
                on stderr, progress aside.
        """
        code, errors = self._run(dispatch, [*map(str, argv)])
        assert code in (0, 1, 2), f"exit code {code}\n{errors}"
        if code == 0:
            return "answered"
        *progress, last = errors.splitlines() or [""]
        assert "error: " in last, errors
        said = ("evaluating on ", "note: ")  # of a file that was changed, too
        assert all(line.startswith(said) for line in progress), errors
        return "refused"

    def verdict(self, dispatch, *argv):
        """Runs a command that says by its exit code whether all is right.

        Returns:
            "as it was", or "changed", which it may say in any number of lines.
        """
        code, errors = self._run(dispatch, [*map(str, argv)])
        assert code in (0, 1) and errors.count("\n") <= 1, f"{code}\n{errors}"
        return "changed" if code else "as it was"

    def _run(self, dispatch, argv):
        sys.stderr.flush()
        kept = os.dup(2)
        with tempfile.TemporaryFile() as log:
            os.dup2(log.fileno(), 2)
            self._watching = True
            signal.alarm(SECONDS_A_CASE)
            try:
                code = command_line.run(dispatch, argv, "python -m any")
            except SystemExit as exit:
                code = exit.code
            finally:
                signal.alarm(0)
                self._watching = False
                sys.stderr.flush()
                os.dup2(kept, 2)
                os.close(kept)
            log.seek(0)
            return code, log.read().decode(errors="replace")

    def _audit(self, event, arguments):
        if not self._watching:
            return
        if event == "open":
            path, mode, flags = arguments
            is_writing = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            paths = [path] if is_writing else []
        elif event in ("os.mkdir", "os.remove", "os.rmdir"):
            paths = arguments[:1]
        elif event in ("os.rename", "os.link", "os.symlink"):
            paths = arguments[:2]
        else:
            return
        if event != "open" and any(
            isinstance(fd, int) and fd >= 0 for fd in arguments[-len(paths) :]
        ):
            return  # relative to a folder that is open already
        for path in paths:
            if isinstance(path, int):
                continue
            place = os.path.realpath(os.fsdecode(path))
            if not any(place.startswith(own) for own in self._writable):
                raise AssertionError(f"{event} of {place}")


class Tally:
    """Counts how cases end, and keeps what is wrong with some of them."""

    def __init__(self):
        self._ends = collections.Counter()
        self._wrong = {}

    @contextlib.contextmanager
    def case(self, name):
        """A case; the block appends how it ends to what it is given."""
        print(f"case {name}", file=sys.stderr, flush=True)
        ends = []
        try:
            yield ends
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            first = (str(error).strip() or type(error).__name__).splitlines()[-1]
            key = f"{type(error).__name__} in {place.name}: {first[:200]}"
            self._wrong.setdefault(key, []).append(name)
            ends = ["wrong"]
        self._ends.update(ends)

    def finish(self):
        """Prints the counts as JSON; ends the process with 1 if any case was wrong."""
        for what, names in self._wrong.items():
            print(f"{len(names)} of: {what}\n    {names[0]}", file=sys.stderr)
        print(json.dumps(self._ends))
        sys.exit(1 if self._wrong else 0)
