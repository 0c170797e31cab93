"""Recorded notes in SoundFont files: SF2, and SF3, whose samples are Ogg Vorbis.

Source: SoundFont Technical Specification 2.04, sections 7 and 8.
"""

import dataclasses
import io
import struct
from collections.abc import Container, Iterator
from pathlib import Path

import numpy as np
import soundfile

from leaf_files.errors import UserError

# Records of the "pdta" list, little endian.
_RECORDS = {
    "phdr": "<20sHHHIII",
    "pbag": "<HH",
    "pgen": "<HH",
    "inst": "<20sH",
    "ibag": "<HH",
    "igen": "<HH",
    "shdr": "<20s5IBbHH",
}
# Generators, by number.
_INSTRUMENT, _COARSE_TUNE, _FINE_TUNE, _SAMPLE = 41, 51, 52, 53
_SCALE_TUNING, _ROOT_KEY = 56, 58
# Kinds of samples: bits.
_RIGHT, _FROM_ROM, _COMPRESSED = 2, 0x8000, 0x10
_UNPITCHED = 255


@dataclasses.dataclass(frozen=True)
class Note:
    """A recorded note of a program.

    Attributes:
        program: General MIDI program, from 0.
        sample: Number of its sample in the file.
        pitch: Pitch at which the sample sounds when it is played as it was recorded,
            in MIDI notes; parts of 1 are out of tune.
    """

    program: int
    sample: int
    pitch: float


class SoundFont:
    """The notes of a SoundFont file.

    Args:
        path: File, SF2 or SF3.

    Raises:
        UserError: It is no SoundFont, or ends early.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = path.read_bytes()
        try:
            chunks = dict(self._chunks(0, len(self._content)))
            self._sound = chunks["smpl"]
            self._tables = {
                name: list(self._records(chunks[name], form))
                for name, form in _RECORDS.items()
            }
        except (KeyError, struct.error, UnicodeDecodeError):
            raise UserError(f"{path} is no SoundFont, or ends early") from None

    def notes(self, programs: Container[int]) -> Iterator[Note]:
        """Yields the notes of programs of bank 0; each sample once, of the first one.

        Of stereo pairs the left channel stands for both. Left out: samples whose pitch
        doesn't follow the keys, and those in a synthesizer's own memory.

        Args:
            programs: Programs to take.

        Raises:
            UserError: The tables of the file contradict each other.
        """
        seen = set()
        try:
            for program, zone in self._zones():
                if program not in programs:
                    continue
                sample = zone[_SAMPLE]
                kind = self._tables["shdr"][sample][9]
                if sample in seen or kind & (_RIGHT | _FROM_ROM):
                    continue
                pitch = self._pitch(zone)
                if pitch is not None:
                    seen.add(sample)
                    yield Note(program, sample, pitch)
        except IndexError:
            raise UserError(
                f"{self._path} is no whole SoundFont: a table ends early"
            ) from None

    def waveform(self, sample: int) -> tuple[np.ndarray, int]:
        """A sample as it was recorded: (waveform, sample_rate), float32 in [-1, 1].

        Args:
            sample: Its number, of a `Note`.

        Raises:
            UserError: It can't be decoded.
        """
        _, start, end, _, _, rate, _, _, _, kind = self._tables["shdr"][sample]
        first, length = self._sound
        sound = memoryview(self._content)[first : first + length]
        if not kind & _COMPRESSED:
            pcm = np.frombuffer(sound[2 * start : 2 * end], "<i2")
            return pcm.astype(np.float32) / 32768, rate
        try:
            # SF3: the borders are those of a file, in bytes.
            stream = io.BytesIO(sound[start:end])
            waveform, file_rate = soundfile.read(stream, dtype="float32")
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise UserError(
                f"sample {sample} of {self._path} can't be decoded"
            ) from error
        return waveform if waveform.ndim == 1 else waveform[:, 0], rate or file_rate

    def _chunks(self, first, last):
        """Yields (name, (first byte, length)) of the chunks; lists are entered."""
        while first + 8 <= last:
            name, length = struct.unpack_from("<4sI", self._content, first)
            first += 8
            if first + length > last:
                raise struct.error
            if name in (b"RIFF", b"LIST"):
                yield from self._chunks(first + 4, first + length)
            else:
                yield name.decode("ascii"), (first, length)
            first += length + length % 2

    def _records(self, chunk, form):
        first, length = chunk
        whole = length - length % struct.calcsize(form)
        return struct.iter_unpack(form, self._content[first : first + whole])

    def _zones(self):
        """Yields (program, generators) of the samples of bank 0, by program.

        Generators of a preset add to those of its instruments.
        """
        presets = self._tables["phdr"]
        of_bank = [
            (preset[1], preset[3], following[3])
            for preset, following in zip(presets, presets[1:])
            if preset[2] == 0
        ]
        instruments = self._tables["inst"]
        for program, first, last in sorted(of_bank):
            for outer in self._generators("p", first, last, _INSTRUMENT):
                number = outer[_INSTRUMENT]
                first_zone, last_zone = (instruments[number + n][1] for n in (0, 1))
                for inner in self._generators("i", first_zone, last_zone, _SAMPLE):
                    tuning = {
                        key: _signed(inner.get(key, 0)) + _signed(outer.get(key, 0))
                        for key in (_COARSE_TUNE, _FINE_TUNE)
                    }
                    scale = inner.get(_SCALE_TUNING, 100) + _signed(
                        outer.get(_SCALE_TUNING, 0)
                    )
                    yield program, {**inner, **tuning, _SCALE_TUNING: scale}

    def _generators(self, level, first, last, what):
        """Yields the generators of zones that name a thing; the first zone may be for
        all of them."""
        bags, generators = self._tables[f"{level}bag"], self._tables[f"{level}gen"]
        common: dict[int, int] = {}
        for zone in range(first, last):
            of_zone = dict(generators[bags[zone][0] : bags[zone + 1][0]])
            if what in of_zone:
                yield {**common, **of_zone}
            elif zone == first:
                common = of_zone

    def _pitch(self, zone):
        header = self._tables["shdr"][zone[_SAMPLE]]
        root = zone.get(_ROOT_KEY, header[6])
        if root > 127:
            root = header[6]
        if root == _UNPITCHED or zone[_SCALE_TUNING] != 100:
            return None
        cents = 100 * zone[_COARSE_TUNE] + zone[_FINE_TUNE] + header[7]
        # Played at this key, nothing is left to transpose.
        return root - cents / 100


def _signed(word):
    return word - 65536 if word > 32767 else word
