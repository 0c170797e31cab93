"""Decoded waveforms, one after the other in memory, each there once.

The memory is reserved as a whole and taken as it is filled, so that nothing is copied
as it grows, nor as TensorFlow reads it.
"""

import threading

import numpy as np
import psutil

# TensorFlow reads in place what begins at such an address.
_ALIGNMENT = 64
_SAMPLE_BYTES = 4
# Of the memory that is free.
SHARE = 0.5


class Sounds:
    """Waveforms of one sample rate, put in by any thread.

    Args:
        sample_rate: Rate of the waveforms, Hz.
        n_bytes: Most bytes of all waveforms.

    Attributes:
        places: {key: (start, samples)} of what was put in.
        is_full: Whether something was left out; then all is given up.

    >>> sounds = Sounds(8000, 1000)
    >>> sounds.put("a", np.ones(3, np.float32))
    (0, 3)
    """

    def __init__(self, sample_rate, n_bytes):
        self.sample_rate = sample_rate
        self.places = {}
        self.is_full = False
        self._lock = threading.Lock()
        self._used = 0
        self._tensor = None
        self._waveforms = _reserved(n_bytes // _SAMPLE_BYTES)

    @classmethod
    def in_free_memory(cls, sample_rate, share=SHARE):
        """Room for a share of the memory that is free."""
        return cls(sample_rate, int(share * psutil.virtual_memory().available))

    def put(self, key, waveform):
        """Puts in a waveform, (samples,), float32.

        Returns:
            (start, samples), or None if it doesn't fit.
        """
        with self._lock:
            start, waveforms = self._used, self._waveforms
            if self.is_full or start + waveform.size > len(waveforms):
                self.give_up()
                return None
            self._used += waveform.size
            self.places[key] = start, waveform.size
        waveforms[start : start + waveform.size] = waveform
        return start, waveform.size

    def give_up(self):
        """Gives the memory back, for good."""
        self.is_full = True
        self.places = {}
        self._waveforms = self._waveforms[:0].copy()

    def waveform(self, start, samples):
        """The waveform at a place, a view."""
        return self._waveforms[start : start + samples]

    def tensor(self):
        """All of it as one tensor, which shares the memory; nothing is put in after."""
        import tensorflow as tf

        if self._tensor is None:
            used = self._waveforms[: max(1, self._used)]
            self._tensor = tf.experimental.dlpack.from_dlpack(used.__dlpack__())
        return self._tensor


def without_copies(dataset):
    """A `tf.data.Dataset` whose iterators don't each copy the tensors it reads.

    >>> import tensorflow as tf
    >>> [int(n) for n in without_copies(tf.data.Dataset.range(3))]
    [0, 1, 2]
    """
    import tensorflow as tf

    options = tf.data.Options()
    # Rewriting the graph is what copies them.
    options.experimental_optimization.apply_default_optimizations = False
    return dataset.with_options(options)


def _reserved(n_samples):
    """An array of at most so many samples, not touched, aligned."""
    spare = _ALIGNMENT // _SAMPLE_BYTES
    while True:
        try:
            samples = np.empty(n_samples + spare, np.float32)
            break
        except MemoryError:  # of systems that don't promise more than they have
            n_samples //= 2
    first = -samples.ctypes.data % _ALIGNMENT // _SAMPLE_BYTES
    return samples[first : first + n_samples]
