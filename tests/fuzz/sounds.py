"""A pool of tiny recordings, to be put wherever folders and tables need some."""

import os
import shutil

import numpy as np
import soundfile

RATE = 8000
_N_SOUNDS = 40
SHORTEST, LONGEST = 0.06, 0.3  # seconds


class Pool:
    """Files to be linked or copied: sounds, silence, and what is no sound.

    Args:
        folder: Folder to make them in, a Path.

    Attributes:
        sounds: Paths of recordings that differ.
        silent: Paths of recordings of digital silence.
        bad: Paths of files that are called as audio files are, and can't be read.
    """

    def __init__(self, folder):
        generator = np.random.default_rng(0)
        self.sounds = []
        for number in range(_N_SOUNDS):
            path = folder / f"{number}.{('wav', 'wav', 'flac', 'ogg')[number % 4]}"
            samples = round(RATE * generator.uniform(SHORTEST, LONGEST))
            soundfile.write(path, generator.uniform(-0.5, 0.5, samples), RATE)
            self.sounds.append(path)
        self.silent = [folder / f"silent{n}.wav" for n in range(2)]
        for n, path in enumerate(self.silent):
            soundfile.write(path, np.zeros(800 + n), RATE)
        self.bad = [folder / f"bad{n}.wav" for n in range(5)]
        self.bad[0].touch()
        self.bad[1].write_bytes(b"no sound" * 10)
        self.bad[2].write_bytes(self.sounds[0].read_bytes()[:60])
        soundfile.write(self.bad[3], np.zeros(0), RATE)
        soundfile.write(self.bad[4], np.full(400, np.nan), RATE, "FLOAT")

    def put(self, source, path, random):
        """Puts a file of the pool somewhere: a link, a hard link or a copy."""
        put = random.choice([os.link, os.link, shutil.copyfile, os.symlink])
        put(source, path)
