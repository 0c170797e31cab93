"""From clips to the batches of training and evaluation."""

import functools

import tensorflow as tf

from leaf_files.windows import cut_windows
from training.input import sampling
from training.input.augmentation import add_noise, mixup
from training.input.drawing import WindowDraw
from training.input.memory import keeps, members, open_clips
from training.input.targets import Targets, balanced_weights, needs_weights
from training.tasks.own.sounds import without_copies


class TrainingData:
    """The training clips of all tasks, and the batches that are drawn from them.

    A batch contains windows of all tasks: so its gradient is that of the mean loss over
    the tasks, and the statistics of batch normalisation are those of the mixture that
    it is used on later. Its shapes are always the same.

    The decoded clips are kept in memory as `config.cache` says.

    Args:
        clip_sets: Training `ClipSet` of each head.
        heads: A tuple of `Head`.
        config: A `FitConfig`.
        sounds: `AugmentationSounds` of that config; None where it names none.

    >>> from leaf_files.run_folder import Head
    >>> from training.settings.config import FitConfig
    >>> from training.tasks.registry import get_task
    >>> config = FitConfig(
    ...     "folder:drums", batch_size=4, sample_rate=8000, window_seconds=0.05
    ... )
    >>> data = get_task(config.task).load()
    >>> head = Head(config.task, "drums", data.labels, "softmax")
    >>> training_data = TrainingData([data.splits["train"]], (head,), config)
    >>> waveform, label = next(iter(training_data.batches()))
    >>> waveform.shape, label.shape
    (TensorShape([4, 400]), TensorShape([4]))
    """

    def __init__(self, clip_sets, heads, config, sounds=None):
        self._config = config
        self._draw = WindowDraw(config, sounds)
        self._heads = heads
        self._sizes = [clips.n_examples for clips in clip_sets]
        self._clips = [
            open_clips(clips, config.sample_rate, f"reading {head.task}", config.cache)
            for clips, head in zip(clip_sets, heads)
        ]
        self._orders = [self._order(index) for index in range(len(heads))]
        self._turns = None
        if len(heads) > 1:
            weights = config.task_weights or [1.0] * len(heads)
            self._turns = sampling.Turns(weights, config.seed)
        self._targets = None
        if needs_weights(heads, config, any(clips.weighted for clips in clip_sets)):
            self._targets = Targets(heads, self._class_weights())

    def batches(self, start=0, part=0, n_parts=1):
        """Endless batches of random windows.

        Each pass over a task's clips draws one window of every clip (or as many of
        every class), in another order each time. Batch n is the same for the same
        config, whatever the first batch; but for white noise and mixup it is so
        whatever the number of parts.

        Args:
            start: Number of the first batch.
            part, n_parts: Number of the part of each batch that is returned, and
                number of the parts, where several hosts share a batch; `batch_size` is
                a multiple of `n_parts`.

        Returns:
            A `tf.data.Dataset` of (waveform, label): float32 (batch_size / n_parts,
            window_samples) and int64 (batch_size / n_parts,). Where `needs_weights`,
            of (waveform, targets, weights) instead, as `Targets.decode` has them.
        """
        config = self._config
        size = config.batch_size // n_parts
        counter = tf.data.Dataset.range(start * size, tf.int64.max)
        batches = counter.map(
            lambda n: self._window(
                n // size * config.batch_size + part * size + n % size
            ),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        ).batch(size, drop_remainder=True)
        seed = config.seed + part  # no two parts are augmented alike
        if config.noise_snr:
            batches = add_noise(batches, config.noise_snr, seed, start)
        targets = self._targets
        if targets is not None:
            if config.mixup:
                batches = mixup(batches, config.mixup, targets.width, seed, start)
            batches = batches.map(
                lambda waveform, vectors: (waveform, *targets.decode(vectors)),
                num_parallel_calls=tf.data.AUTOTUNE,
                deterministic=True,
            )
        return without_copies(batches.prefetch(tf.data.AUTOTUNE))

    def _window(self, position):
        """(window, label or vector of targets) at a position among all tasks'."""
        if self._turns is None:
            return self._task_window(0, position)
        task, turn = self._turns.at(position)
        return tf.switch_case(
            tf.cast(task, tf.int32),
            [
                functools.partial(self._task_window, index, turn)
                for index in range(len(self._heads))
            ],
        )

    def _task_window(self, index, position):
        """(window, label or vector of targets) at a position among one task's."""
        config = self._config
        clip = self._clips[index].clip(self._orders[index](position))
        label = clip["label"]
        seed = tf.stack([tf.cast(config.seed, tf.int64), position])
        if index:  # another task at the same place draws another window
            seed = tf.random.experimental.stateless_fold_in(seed, index)
        window = self._draw.window(clip["waveform"], seed)
        if self._targets is not None:
            label = self._targets.encode(index, label, clip.get("weight"))
        return window, label

    def _order(self, index):
        """Function from the number of a task's window to the index of its clip."""
        if not self._config.balanced:
            return sampling.every_clip(self._sizes[index], self._config.seed)
        labels = self._clips[index].labels()
        indices_by_class = members(labels, len(self._heads[index].labels))
        return sampling.every_class(indices_by_class, self._config.seed)

    def _class_weights(self):
        if self._config.class_weights == "none":
            return None
        return [
            balanced_weights(clips.labels(), len(head.labels))
            for clips, head in zip(self._clips, self._heads)
        ]


def evaluation_windows(
    clip_set, sample_rate, window_samples, batch_size, cache="memory"
):
    """The windows of whole clips, clip after clip, once.

    Args:
        clip_set: `ClipSet` to evaluate on.
        sample_rate: Rate of the waveforms, Hz.
        window_samples: Length of a window.
        batch_size: Windows in a batch; the last one may be smaller.
        cache: Whether decoded clips are kept, see `FitConfig.cache`.

    Returns:
        A `tf.data.Dataset` of (waveform, label, clip_index, name): float32
        (batch, window_samples), the clip's label, int64 (batch,), and its name. A
        clip's windows, cut by `leaf_files.windows.cut_windows`, share its index, so
        that their logits can be averaged.

    >>> from training.tasks.registry import get_task
    >>> clips = get_task("folder:drums").load().splits["test"]  # 2 of 0.1 s
    >>> for waveform, _, clip_index, _ in evaluation_windows(clips, 8000, 400, 4):
    ...     waveform.shape, clip_index.numpy()
    (TensorShape([4, 400]), array([0, 0, 1, 1]))
    """

    def to_windows(clip_index, clip):
        windows = tf.numpy_function(
            lambda waveform: cut_windows(waveform, window_samples),
            [clip["waveform"]],
            tf.float32,
        )
        windows = tf.ensure_shape(windows, [None, window_samples])
        n_windows = tf.shape(windows)[0]
        return tf.data.Dataset.from_tensor_slices(
            (
                windows,
                tf.repeat(clip["label"][tf.newaxis], n_windows, axis=0),
                tf.repeat(clip_index, n_windows),
                tf.repeat(clip["clip"], n_windows),
            )
        )

    clips = clip_set.dataset(sample_rate)
    if keeps(clip_set, sample_rate, cache):
        clips = clips.cache()
    windows = clips.enumerate().flat_map(to_windows).batch(batch_size)
    return windows.prefetch(tf.data.AUTOTUNE)
