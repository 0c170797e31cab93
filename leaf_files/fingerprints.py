"""Fingerprints of sound: finds near duplicates among many clips.

A fingerprint holds landmarks: pairs of peaks of the spectrogram that follow each other.
A copy of a clip keeps most of them, at one offset in time, if it is louder, cut,
encoded or resampled; another word of the same speaker doesn't.

Source: A. Wang, "An industrial-strength audio search algorithm", ISMIR 2003.
"""

import collections
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

# Of the spectrogram.
FRAME_SECONDS = 0.016
_WINDOW_SECONDS = 0.064
_HIGHEST_HZ = 7600.0
_FLOOR = 1e-7  # of the greatest power: peaks below it are rounding
_LEAST_POWER = 1e-12  # of the window: below it, 16 bit hold nothing
# A peak is the greatest within so many frames and bins.
_NEIGHBOURHOOD = (7, 15)
# Peaks in so many frames, at most.
_CROWD = (16, 14)
# Each peak is paired with the next ones, and no further than so many frames.
_N_NEXT = 3
_FARTHEST = 32
# Of a landmark: bins, decibels.
_FREQUENCY_STEP = 2.0
_LEVEL_STEP = 6.0

_TIME_BITS = 32
_PIECE_SECONDS = 32.0
# Landmarks that two sounds have in common, and their share of those where they overlap:
# few of a short sound are as telling as a small share of a long one.
_LEAST_MATCHES = 6
_LEAST_SHARE = 0.1
_LEAST_PRODUCT = 2.0
# Each landmark is compared with all equal ones if they are few, else with the next
# ones, and the matches are counted in parts.
_FEW = 32
_COMPARED_OF_MANY = 4
# Of the matches of a pair so many are found so, at least.
_LEAST_FOUND = 4
_MATCHES_AT_ONCE = 8_000_000
# Of more landmarks than these some are left out in the search for pairs.
_MOST_LANDMARKS = 16_000_000


class NearDuplicate(NamedTuple):
    """Two clips, of which one holds sound of the other.

    Attributes:
        first, second: Indices of the clips, first < second.
        seconds: Time in the second clip of what begins the first one, seconds; below 0
            where the first one begins earlier.
        share: Share of the landmarks where they overlap that agree, in (0, 1].

    >>> pair = NearDuplicate(0, 4, seconds=0.512, share=0.9)
    >>> pair.first, pair.second
    (0, 4)
    """

    first: int
    second: int
    seconds: float
    share: float


def fingerprint(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """The landmarks of a sound.

    Its size is about 1 kB a second of sound; 1 s takes about 1 ms.

    Args:
        waveform: (samples,), finite, of any scale.
        sample_rate: Sample rate, Hz.

    Returns:
        (n,), uint64: in the upper 32 bits a hash of a pair of peaks, in the lower ones
        the frame of `FRAME_SECONDS` of the first one. Empty for silence.

    >>> rng = np.random.default_rng(0)
    >>> noise = rng.standard_normal(16000)
    >>> copies = [fingerprint(x, 16000) for x in (noise, noise[4000:] / 2)]
    >>> near_duplicates(copies)[0].seconds
    -0.256
    """
    power = _spectrogram(np.asarray(waveform, np.float32), sample_rate)
    frames, bins = _peaks(power)
    times, frequencies, levels = _refined(power, frames, bins)
    return _landmarks(times, frequencies, levels)


class Fingerprinter:
    """The `fingerprint` of a sound that is heard block by block, in bounded memory.

    Of a long sound no landmark reaches over the seams between its pieces of some
    seconds, so that a few are missing.

    Args:
        sample_rate: Sample rate, Hz.

    >>> noise = np.random.default_rng(0).standard_normal(16000)
    >>> printer = Fingerprinter(16000)
    >>> for block in np.split(noise, 4):
    ...     printer.update(block)
    >>> np.array_equal(printer.fingerprint(), fingerprint(noise, 16000))
    True
    """

    def __init__(self, sample_rate: int):
        self._rate = sample_rate
        self._blocks: list[np.ndarray] = []
        self._n_waiting = 0
        self._frames = round(_PIECE_SECONDS / FRAME_SECONDS)
        self._samples = round(self._frames * FRAME_SECONDS * sample_rate)
        self._pieces: list[np.ndarray] = []

    def update(self, block: np.ndarray) -> None:
        """Takes the next samples, (samples,)."""
        self._blocks.append(np.array(block, np.float32))
        self._n_waiting += block.size
        while self._n_waiting >= 2 * self._samples:
            waiting = np.concatenate(self._blocks)
            self._take(waiting[: self._samples])
            self._blocks = [waiting[self._samples :]]
            self._n_waiting -= self._samples

    def fingerprint(self) -> np.ndarray:
        """The landmarks of all samples so far; call it once, at the end."""
        if self._n_waiting:
            self._take(np.concatenate(self._blocks))
        if not self._pieces:
            return np.zeros(0, np.uint64)
        return np.concatenate(self._pieces)

    def _take(self, piece):
        passed = np.uint64(len(self._pieces) * self._frames)
        self._pieces.append(fingerprint(piece, self._rate) + passed)


def packed(fingerprint: np.ndarray) -> bytes:
    """A fingerprint in about half as many bytes, to be kept.

    >>> unpacked(packed(np.array([9 << 32 | 4, 7 << 32 | 2], np.uint64))).tolist()
    [30064771074, 38654705668]
    """
    order = np.argsort(fingerprint & np.uint64(2**_TIME_BITS - 1), kind="stable")
    hashes, times = _parts(fingerprint[order])
    gaps = np.diff(times, prepend=0).astype("<u4")
    columns = np.concatenate([hashes.astype("<u4"), gaps]).view(np.uint8)
    return zlib.compress(columns.reshape(-1, 4).T.tobytes(), 1)


def unpacked(content: bytes) -> np.ndarray:
    """The fingerprint that `packed` made into bytes, in the order of its times.

    >>> unpacked(packed(np.array([7 << 32 | 2], np.uint64))).tolist() == [7 << 32 | 2]
    True
    """
    columns = np.frombuffer(zlib.decompress(content), np.uint8).reshape(4, -1)
    hashes, gaps = np.split(columns.T.copy().view("<u4")[:, 0].astype(np.uint64), 2)
    return hashes << np.uint64(_TIME_BITS) | np.cumsum(gaps, dtype=np.uint64)


def near_duplicates(
    fingerprints: Sequence[np.ndarray], shown: Callable[[list], Iterable] = iter
) -> list[NearDuplicate]:
    """The pairs of clips that hold the same sound.

    Of many copies of one sound each is paired with some of the others, at least with
    the next one: `clusters` has them together. Memory is that of the fingerprints,
    twice, and 0.5 GB at most.

    Args:
        fingerprints: One `fingerprint` a clip.
        shown: Function of a list of parts of the work, which returns them one by one,
            such as `tqdm.tqdm`.

    Returns:
        `NearDuplicate`s in the order of their indices.

    >>> noise, other = np.random.default_rng(0).standard_normal((2, 16000))
    >>> prints = [fingerprint(sound, 16000) for sound in (noise, other, noise / 2)]
    >>> [(pair.first, pair.second) for pair in near_duplicates(prints)]
    [(0, 2)]
    """
    pairs = []
    for first, second, offset in _candidates(fingerprints, shown):
        matches, share = _agreement(fingerprints[first], fingerprints[second], offset)
        if (
            matches >= _LEAST_MATCHES
            and share >= _LEAST_SHARE
            and matches * share >= _LEAST_PRODUCT
        ):
            seconds = round(offset * FRAME_SECONDS, 3)
            pairs.append(NearDuplicate(first, second, seconds, min(1.0, share)))
    return sorted(pairs)


def clusters(pairs: Sequence[NearDuplicate]) -> list[list[int]]:
    """Clips that pairs bind together, each with at least one other.

    Args:
        pairs: `NearDuplicate`s, or other tuples that begin with two indices.

    Returns:
        Lists of indices, in increasing order.

    >>> clusters([(0, 4), (1, 2), (4, 7)])
    [[0, 4, 7], [1, 2]]
    """
    parent: dict[int, int] = {}

    def root(index):
        parent.setdefault(index, index)
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for first, second, *_ in pairs:
        low, high = sorted((root(first), root(second)))
        parent[high] = low
    members: dict[int, list[int]] = collections.defaultdict(list)
    for index in sorted(parent):
        members[root(index)].append(index)
    return list(members.values())


def _spectrogram(waveform, sample_rate):
    """Power, (frames, bins); frames and bins are of one size at any rate."""
    import scipy.fft

    n_window = max(2, round(_WINDOW_SECONDS * sample_rate))
    hop = FRAME_SECONDS * sample_rate
    waveform = np.pad(waveform, n_window // 2 + 1)
    n_frames = 1 + int((waveform.size - n_window) / hop)
    starts = np.round(np.arange(n_frames) * hop).astype(np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(waveform, n_window)[starts]
    n_bins = min(n_window // 2, round(_HIGHEST_HZ * _WINDOW_SECONDS))
    hann = np.hanning(n_window + 1)[:-1].astype(np.float32)
    spectra = scipy.fft.rfft(windows * hann, axis=1)[:, :n_bins]
    return (spectra.real**2 + spectra.imag**2) * np.float32((2 / n_window) ** 2)


def _peaks(power):
    """(frames, bins) of the peaks, not at the edges, in the order of frames."""
    if min(power.shape) < 3:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    # Faster than scipy.ndimage.maximum_filter, several times.
    greatest = np.pad(power, [(size // 2, size // 2) for size in _NEIGHBOURHOOD])
    for size in _NEIGHBOURHOOD:
        greatest = _sliding_maximum(greatest, size).T
    floor = max(_FLOOR * float(power.max()), _LEAST_POWER)
    inner = (power == greatest)[1:-1, 1:-1] & (power[1:-1, 1:-1] > floor)
    frames, bins = (places + 1 for places in np.nonzero(inner))
    # The loudest ones where they crowd.
    n_frames, most = _CROWD
    crowd = frames // n_frames
    order = np.lexsort((-power[frames, bins], crowd))
    rank = np.arange(order.size) - np.searchsorted(crowd[order], crowd[order])
    kept = np.sort(order[rank < most])
    return frames[kept], bins[kept]


def _sliding_maximum(values, size):
    """The greatest of each `size` rows that follow each other."""
    width = 1
    while width < size:
        step = min(width, size - width)
        values = np.maximum(values[:-step], values[step:])
        width += step
    return values


def _refined(power, frames, bins):
    """Times (frames), frequencies (bins) and levels (dB) of peaks, between the grid."""

    def level(frames, bins):
        return 10 * np.log10(power[frames, bins] + np.float32(1e-30))

    def vertex(before, after):
        bend = np.minimum(before + after - 2 * levels, -1e-6)
        return np.clip((before - after) / (2 * bend), -0.5, 0.5)

    levels = level(frames, bins)
    times = frames + vertex(level(frames - 1, bins), level(frames + 1, bins))
    frequencies = bins + vertex(level(frames, bins - 1), level(frames, bins + 1))
    order = np.lexsort((frequencies, times))
    return times[order], frequencies[order], levels[order]


def _landmarks(times, frequencies, levels):
    """The fingerprint of refined peaks."""
    tones = np.round(frequencies / _FREQUENCY_STEP).astype(np.uint64)
    landmarks = []
    for n in range(1, _N_NEXT + 1):
        gaps = np.round(times[n:] - times[:-n]).astype(np.int64)
        steps = np.round((levels[n:] - levels[:-n]) / _LEVEL_STEP).astype(np.int64)
        low, high = tones[:-n], tones[n:]
        # Which of two at once is first is chance.
        swapped = (gaps == 0) & (low > high)
        low, high = np.where(swapped, high, low), np.where(swapped, low, high)
        steps = np.where(swapped, -steps, steps)
        steps = np.clip(steps + 8, 0, 15).astype(np.uint64)
        near = gaps < _FARTHEST
        key = ((low << 8 | high) << 5 | gaps.astype(np.uint64) & 31) << 4 | steps
        time = np.maximum(np.round(times[:-n]), 0).astype(np.uint64)
        landmarks.append((key << _TIME_BITS | time)[near])
    return np.concatenate(landmarks) if landmarks else np.zeros(0, np.uint64)


def _parts(fingerprints):
    """(hashes, times) of landmarks, uint32 and int64."""
    hashes = (fingerprints >> np.uint64(_TIME_BITS)).astype(np.uint32)
    return hashes, (fingerprints & np.uint64(2**_TIME_BITS - 1)).astype(np.int64)


class _Index:
    """The landmarks of all clips, by their hashes.

    Attributes:
        hashes, times, owners: (n,), sorted by hash, then by the clip, its owner.
        places: (n,), place of each landmark among them, in the order of the clips.
        starts: (n_clips + 1,), number of landmarks before each clip.
        are_many: (n,), whether there are more than a few of the same hash.
    """

    def __init__(self, fingerprints):
        sizes = [each.size for each in fingerprints]
        self.starts = np.concatenate([[0], np.cumsum(sizes)])
        owners = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        hashes, times = _parts(np.concatenate(fingerprints))
        order = np.argsort(hashes, kind="stable")
        self.hashes, self.owners = hashes[order], owners[order]
        self.times = times[order].astype(np.int32)
        edges = np.flatnonzero(np.diff(self.hashes, prepend=self.hashes[:1] + 1))
        alike = np.diff(edges, append=order.size)
        self.are_many = np.repeat(alike > _FEW, alike)
        self.places = np.empty(order.size, np.int32)
        self.places[order] = np.arange(order.size, dtype=np.int32)

    def blocks(self) -> Iterator[tuple[int, int]]:
        """Ranges of clips whose matches fit into memory together."""
        block = self.starts[1:] * (_FEW // 2) // _MATCHES_AT_ONCE
        edges = np.flatnonzero(np.diff(block)) + 1
        yield from zip([0, *edges.tolist()], [*edges.tolist(), block.size])

    def matches(self, low: int, high: int) -> Iterator[tuple]:
        """(first, second, offset) of equal landmarks, in arrays.

        Args:
            low, high: Range of the first clips.
        """
        at = self.places[self.starts[low] : self.starts[high]]
        for n in range(1, _FEW):
            if n == _COMPARED_OF_MANY + 1:
                at = at[~self.are_many[at]]
            at = at[at + n < self.hashes.size]
            at = at[self.hashes[at] == self.hashes[at + n]]
            first, second = self.owners[at], self.owners[at + n]
            other = first != second
            offsets = self.times[at + n] - self.times[at]
            yield first[other], second[other], offsets[other]


def _candidates(fingerprints, shown):
    """(first, second, offset) of pairs that may have enough in common."""
    n_clips = len(fingerprints)
    sizes = np.array([each.size for each in fingerprints], np.int64)
    if sizes.sum() < 2:
        return
    lengths = np.array(
        [1 + int(_parts(each)[1].max()) if each.size else 1 for each in fingerprints]
    )
    index = _Index(_thinned(fingerprints, int(sizes.sum())))
    longest = int(lengths.max())
    span = 2 * longest + 3
    for low, high in shown(list(index.blocks())):
        found = [
            (first.astype(np.int64) * n_clips + second) * span + offset + longest
            for first, second, offset in index.matches(low, high)
        ]
        keys, counts = np.unique(np.concatenate(found), return_counts=True)
        follows = np.flatnonzero(np.diff(keys) == 1)
        both = counts.copy()  # of two offsets in a row: frames don't start alike
        both[follows] += counts[follows + 1]
        enough = both >= _LEAST_FOUND
        keys, counts = keys[enough], both[enough]
        pairs, offsets = keys // span, keys % span - longest
        first, second = pairs // n_clips, pairs % n_clips
        starts = np.maximum(0, -offsets)
        overlaps = np.minimum(lengths[first], lengths[second] - offsets) - starts
        expected = np.minimum(
            sizes[first] * overlaps / lengths[first],
            sizes[second] * overlaps / lengths[second],
        )
        likely = np.flatnonzero(counts >= _LEAST_SHARE / 3 * expected)
        # The best offset of each pair.
        order = likely[np.lexsort((-counts[likely], pairs[likely]))]
        best = order[np.flatnonzero(np.diff(pairs[order], prepend=-1))]
        yield from zip(
            first[best].tolist(), second[best].tolist(), offsets[best].tolist()
        )


def _thinned(fingerprints, n_landmarks):
    """Fingerprints without some kinds of landmarks, the same for all, if too many."""
    every = -(-n_landmarks // _MOST_LANDMARKS)
    if every == 1:
        return fingerprints
    kinds = (each >> np.uint64(_TIME_BITS) for each in fingerprints)
    # Multiplied, as neighbours are kinds alike.
    return [
        each[(kind * np.uint64(2654435761) >> np.uint64(16)) % np.uint64(every) == 0]
        for each, kind in zip(fingerprints, kinds)
    ]


def _agreement(first, second, offset):
    """(number, share) of landmarks that two fingerprints have in common.

    Args:
        first, second: Fingerprints.
        offset: Frames from a time in the first to the same sound's in the second; that
            and the next one count.
    """
    (hashes, times), (others, other_times) = _parts(first), _parts(second)
    moved = times + offset
    end = min(int(moved.max()), int(other_times.max())) + 1
    start = max(0, offset)
    ours, theirs = (
        {(h, t) for h, t in zip(h.tolist(), t.tolist()) if start <= t <= end}
        for h, t in ((hashes, moved), (others, other_times))
    )
    kinds = {h for h, t in ours if not theirs.isdisjoint([(h, t), (h, t + 1)])}
    least = min(len({h for h, _ in ours}), len({h for h, _ in theirs}))
    return len(kinds), len(kinds) / max(1, least)
