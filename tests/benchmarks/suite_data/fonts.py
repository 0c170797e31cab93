"""SoundFont files, made up."""

import io
import struct

import numpy as np
import soundfile

INSTRUMENT, COARSE_TUNE, FINE_TUNE, SAMPLE, SCALE_TUNING, ROOT_KEY = (
    *(41, 51, 52, 53, 56, 58),
)  # fmt: skip
MONO, RIGHT, LEFT, VORBIS = 1, 2, 4, 0x10


def chunk(name, content):
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def harmonics(frequency, sample_rate, seconds, shares=(0.5, 0.25, 0.125)):
    """A tone whose k-th harmonic has the k-th amplitude."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return sum(
        share * np.sin(2 * np.pi * k * frequency * time)
        for k, share in enumerate(shares, start=1)
    )


def soundfont(samples, instruments, presets, vorbis=False):
    """Bytes of a SoundFont.

    Args:
        samples: (waveform, sample_rate, root key, correction in cents, kind) of each.
        instruments: Zones of each, a list of {generator: value}.
        presets: (program, bank, zones) of each.
        vorbis: Whether samples are compressed, as in SF3.
    """
    sound, headers = b"", b""
    for waveform, rate, root, cents, kind in samples:
        if vorbis:
            file = io.BytesIO()
            soundfile.write(file, waveform, rate, format="OGG", subtype="VORBIS")
            content, unit = file.getvalue(), 1
        else:
            content = (np.asarray(waveform) * 32767).astype("<i2").tobytes()
            unit = 2
        start = len(sound) // unit
        sound += content
        end = len(sound) // unit
        kind |= VORBIS if vorbis else 0
        headers += struct.pack(
            "<20s5IBbHH", b"sample", start, end, 0, 0, rate, root, cents, 0, kind
        )
    headers += struct.pack("<20s5IBbHH", b"EOS", *[0] * 9)
    instrument_bags, instrument_generators, firsts = _zones(instruments)
    bags, generators, preset_firsts = _zones([zones for *_, zones in presets])
    inst = b"".join(struct.pack("<20sH", b"", first) for first in firsts)
    names = [*((program, bank) for program, bank, _ in presets), (0, 0)]
    phdr = b"".join(
        struct.pack("<20sHHHIII", b"", program, bank, first, 0, 0, 0)
        for (program, bank), first in zip(names, preset_firsts)
    )
    tables = {
        b"phdr": phdr,
        b"pbag": bags,
        b"pmod": bytes(10),
        b"pgen": generators,
        b"inst": inst,
        b"ibag": instrument_bags,
        b"imod": bytes(10),
        b"igen": instrument_generators,
        b"shdr": headers,
    }
    lists = [
        b"INFO" + chunk(b"ifil", struct.pack("<HH", 2, 4)),
        b"sdta" + chunk(b"smpl", sound),
        b"pdta" + b"".join(chunk(*table) for table in tables.items()),
    ]
    return chunk(b"RIFF", b"sfbk" + b"".join(chunk(b"LIST", part) for part in lists))


def _zones(owners):
    """(bags, generators, number of the first bag of each owner and of the end)."""
    bags, generators, firsts = [], [], []
    for zones in owners:
        firsts.append(len(bags))
        for zone in zones:
            bags.append(len(generators))
            generators += zone.items()
    firsts.append(len(bags))
    bags.append(len(generators))
    generators.append((0, 0))
    return (
        b"".join(struct.pack("<HH", bag, 0) for bag in bags),
        b"".join(struct.pack("<HH", key, value & 0xFFFF) for key, value in generators),
        firsts,
    )
