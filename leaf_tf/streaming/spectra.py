"""Mel energies, chunk by chunk."""

from keras import ops

from leaf_tf.dsp.slices import last


class SpectralEnergies:
    """Energies of the bands of `MelFilterbanks`.

    Frame k is made of the window from sample k * strides on: nothing of it is before
    the stream, and what is after it is zero.

    Args:
        mel: `MelFilterbanks`, built.

    Attributes: as `PlannedEnergies`.
    """

    def __init__(self, mel):
        self._mel = mel
        self.center = (mel.kernel_size - 1) / 2
        self.delay = self.n_last = mel.later_hops
        self.memory = self.delay
        self._history = self.delay * mel.strides
        self.state_shapes = {"waveform": (self._history,)}

    def step(self, chunk, state, clock, is_end=False):
        """Goes on with the stream, as `PlannedEnergies.step`."""
        waveform = ops.concatenate([state["waveform"], chunk], axis=1)
        hops = chunk.shape[1] // self._mel.strides
        energies = self._mel.band_energies(waveform, hops)
        return energies, {**state, "waveform": last(waveform, self._history)}
