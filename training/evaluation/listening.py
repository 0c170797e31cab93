"""Whole recordings, heard by a run's model as `export detect` hears them."""

from scipy import special
from tqdm import tqdm

from leaf_files.command_line import note
from leaf_files.errors import UserError
from leaf_files.oddities import warn_of
from leaf_files.sound import FileBlocks, in_chunks

_MOMENT = 2.0  # seconds
_AT_ONCE = 16.0  # seconds
_MOST_WINDOWS = 64


class Listener:
    """A run's model that hears recordings, window by window.

    Only what the windows at work need is held, however long recordings are.

    Args:
        opened: `OpenRun` of the run.
        model: Its Keras model.
        grid: `leaf_files.windowing.Grid` of the windows.

    >>> from leaf_files.windowing import Grid
    >>> from training.evaluation.opening import OpenRun
    >>> opened = OpenRun.open("run")
    >>> grid = Grid(window_samples=800, hop_samples=200)
    >>> listener = Listener(opened, opened.load_model(), grid)
    >>> [recording] = listener.hear_all(["drums/kick/0.wav"], "hearing")
    >>> [[windows]] = [found.values() for found in recording]
    >>> windows.shape, recording.n_samples, recording.seconds
    ((1, 2), 800, 0.1)
    """

    def __init__(self, opened, model, grid):
        self.opened, self.model, self.grid = opened, model, grid

    def hear_all(self, paths, doing):
        """Hears recordings, one after the other; a terminal shows the progress.

        Args:
            paths: Paths of audio files.
            doing: What is done, for people.

        Yields:
            A `Recording` each, to be iterated over before the next one. One that can't
            be read ends early; it is named.

        Raises:
            UserError: A recording can't be read, unless the run skips such.
        """
        with tqdm(
            desc=doing,
            unit=" s heard",
            unit_scale=True,
            delay=_MOMENT,
            leave=False,
            disable=None,  # without a terminal
        ) as progress:
            for path in paths:
                recording = Recording(self, path)
                yield recording
                progress.update(recording.seconds)


class Recording:
    """A recording that is heard: iterable once, over {head: (windows, classes)}.

    The probabilities are the model's, not calibrated.

    Args:
        listener: The `Listener`.
        path: The audio file.

    Attributes:
        path: The audio file.
        n_samples: Samples heard so far, at the model's rate.
        seconds: Their length; 0 of a recording that can't be read.

    >>> from leaf_files.windowing import Grid
    >>> from training.evaluation.opening import OpenRun
    >>> opened = OpenRun.open("run")
    >>> listener = Listener(opened, opened.load_model(), Grid(800, 800))
    >>> recording = Recording(listener, "drums/kick/0.wav")
    >>> [of_head] = [[*heard] for heard in recording]
    >>> of_head[0].labels, recording.seconds
    (('kick', 'snare'), 0.1)
    """

    def __init__(self, listener, path):
        self._listener, self.path = listener, path
        self.n_samples, self.seconds = 0, 0.0

    def __iter__(self):
        opened = self._listener.opened
        rate = opened.config.sample_rate
        blocks = FileBlocks(self.path, rate)
        chunks = in_chunks(blocks, round(_AT_ONCE * rate))
        try:
            for windows in self._listener.grid.cut(chunks, _MOST_WINDOWS):
                logits = opened.logits(self._listener.model, windows)
                self.n_samples = round(blocks.file_samples * rate / blocks.file_rate)
                yield {
                    head: special.expit(of_head)
                    if head.multi_label
                    else special.softmax(of_head, axis=1)
                    for head, of_head in logits.items()
                }
            self.seconds = blocks.file_samples / blocks.file_rate
        except UserError as error:
            if not opened.config.skip_bad_clips:
                raise
            note(f"skipped: {error}")
        else:
            warn_of(self.path, blocks.oddities)
