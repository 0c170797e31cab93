"""The development sets of DCASE 2018's bird audio detection."""

import dataclasses

import tensorflow_datasets as tfds

from leaf_files import text
from leaf_files.errors import UserError
from training.tasks.builders import clip_features
from training.tasks.builders.sources import Source, fetch, members
from training.tasks.splits.at_random import split_clips

LABELS = ("no_bird", "bird")


@dataclasses.dataclass(frozen=True)
class _Recordings:
    """One of the three sets.

    Attributes:
        name: Name in the table of the clips.
        audio: Archive of `{itemid}.wav`.
        table: CSV with itemid, datasetid, hasbird.
    """

    name: str
    audio: Source
    table: Source


SETS = (
    _Recordings(
        "ff1010bird",
        Source(
            "ff1010bird_wav.zip",
            "https://archive.org/download/ff1010bird/ff1010bird_wav.zip",
        ),
        Source(
            "ff1010bird_metadata_2018.csv",
            "https://ndownloader.figshare.com/files/10853303",
        ),
    ),
    _Recordings(
        "warblrb10k",
        Source(
            "warblrb10k_public_wav.zip",
            "https://archive.org/download/warblrb10k_public/warblrb10k_public_wav.zip",
        ),
        Source(
            "warblrb10k_public_metadata_2018.csv",
            "https://ndownloader.figshare.com/files/10853306",
        ),
    ),
    _Recordings(
        "BirdVox-DCASE-20k",
        Source(
            "BirdVox-DCASE-20k.zip",
            "https://zenodo.org/record/1208080/files/BirdVox-DCASE-20k.zip",
        ),
        Source(
            "BirdVoxDCASE20k_csvpublic.csv",
            "https://ndownloader.figshare.com/files/10853300",
        ),
    ),
)


class Dcase2018Birds(tfds.core.GeneratorBasedBuilder):
    """Whether a bird is heard in 10 s: freefield1010, warblrb10k, BirdVox-DCASE-20k.

    The labels of the official evaluation sets are not public, and the names of the
    clips tell neither place nor time. So each set is split 80/10/10 within each
    class, by a hash of the clip's name.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Files that lie here are not downloaded: " + (
        ", ".join(source.name for s in SETS for source in (s.audio, s.table))
    )

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            features=clip_features.features(
                label=tfds.features.ClassLabel(names=LABELS),
                recordings=tfds.features.ClassLabel(names=[s.name for s in SETS]),
            ),
            homepage="https://dcase.community/challenge2018/task-bird-audio-detection",
            citation="D. Stowell, M. Wood, H. Pamula, Y. Stylianou, H. Glotin: "
            "Automatic acoustic detection of birds through deep learning: the first "
            "Bird Audio Detection challenge, Methods in Ecology and Evolution, 2018",
        )

    def _split_generators(self, dl_manager):
        sources = [source for s in SETS for source in (s.audio, s.table)]
        paths = fetch(dl_manager, sources)
        labels = {s.name: _read_table(paths[s.table.name]) for s in SETS}
        archives = {s.name: paths[s.audio.name] for s in SETS}
        clips_of = split_birds(labels)
        return {
            split: self._generate_examples(archives, labels, clips)
            for split, clips in clips_of.items()
        }

    def _generate_examples(self, archives, labels, clips):
        missing = set(clips)
        for recordings, archive in archives.items():
            wanted = {f"{item}.wav" for name, item in clips if name == recordings}
            for name, content in members(archive, wanted):
                item = name.removesuffix(".wav")
                missing.discard((recordings, item))
                clip = f"{recordings}/{item}"
                yield (
                    clip,
                    clip_features.example(
                        content,
                        clip,
                        label=labels[recordings][item],
                        recordings=recordings,
                    ),
                )
        if missing:
            raise UserError(
                f"{len(missing)} of {len(clips)} clips are in none of the archives, "
                f"such as {'/'.join(min(missing))}"
            )


def _read_table(path):
    """{itemid: one of `LABELS`}."""
    return {row["itemid"]: LABELS[int(row["hasbird"])] for row in text.read_table(path)}


def split_birds(labels):
    """The split of each clip.

    Args:
        labels: {set: {item: label}}.

    Returns:
        {split: [(set, item)]}.

    >>> labels = {"warblrb10k": {f"clip{n}": "bird" for n in range(10)}}
    >>> {split: len(clips) for split, clips in split_birds(labels).items()}
    {'train': 8, 'validation': 1, 'test': 1}
    """
    clips = [(name, item) for name in labels for item in labels[name]]
    classes = [f"{name} {labels[name][item]}" for name, item in clips]
    assigned = split_clips(
        [("/".join(clip), label) for clip, label in zip(clips, classes)],
        sorted(set(classes)),
        seed=0,
    )
    return {
        split: [clip for clip, part in zip(clips, assigned) if part == split]
        for split in ("train", "validation", "test")
    }
