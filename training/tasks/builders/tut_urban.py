"""TUT Urban Acoustic Scenes 2018, development set."""

import hashlib
from collections import Counter, defaultdict

import tensorflow_datasets as tfds

from leaf_files.errors import UserError
from training.tasks.builders import clip_features
from training.tasks.builders.sources import Source, fetch, members

_NAME = "TUT-urban-acoustic-scenes-2018-development"
_AUDIO_MD5 = (
    "62f97087c447e29def8716204469bf89",
    "8e569a92025d82bff6b02b956d7c6dc9",
    "00d2020582a4535af5e65322fb2bad56",
    "d691eb4271f83ba6ba9a28797accc497",
    "c4d64b5483b60f85e9fe080b3435a6be",
    "2f0feee78f216697eb19497714d97642",
    "07cfefe80a0731de6819181841239f3a",
    "213f3c012859c2e9dcb74aacc8558458",
    "b724442b09abcb3bd095ebff497cef85",
    "a27a32fa52e283ed8013375b8a16f269",
    "7073a121e825ffef99832507f30d6644",
    "6567aa61db12776568b6267ce122fb18",
    "d00eeb2db0e093d8975521323a96c519",
)


def _source(part, md5):
    name = f"{_NAME}.{part}.zip"
    return Source(name, f"https://zenodo.org/record/1228142/files/{name}", md5)


META = _source("meta", "e196065ee83c07af03a11a310364377d")
AUDIO = tuple(_source(f"audio.{n}", md5) for n, md5 in enumerate(_AUDIO_MD5, start=1))

SCENES = (
    "airport",
    "bus",
    "metro",
    "metro_station",
    "park",
    "public_square",
    "shopping_mall",
    "street_pedestrian",
    "street_traffic",
    "tram",
)
_VALIDATION = 0.1  # smallest share of each scene's training segments


class TutUrbanScenes2018(tfds.core.GeneratorBasedBuilder):
    """10 s in one of ten scenes of six European cities, 48 kHz, binaural.

    The test split is that of the official fold 1; its other segments train, except
    those of some locations, which validate: see `validation_locations`.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"Files that lie here are not downloaded: {META.name}, {AUDIO[0].name} to "
        f"{AUDIO[-1].name}."
    )

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            features=clip_features.features(
                label=tfds.features.ClassLabel(names=SCENES),
                location=tfds.features.Text(),
            ),
            homepage="https://zenodo.org/record/1228142",
            citation="A. Mesaros, T. Heittola, T. Virtanen: A multi-device dataset "
            "for urban acoustic scene classification, DCASE 2018, arXiv:1807.09840",
        )

    def _split_generators(self, dl_manager):
        paths = fetch(dl_manager, (META, *AUDIO))
        segments = _read_folds(paths[META.name])
        archives = [paths[source.name] for source in AUDIO]
        return {
            split: self._generate_examples(archives, segments[split])
            for split in segments
        }

    def _generate_examples(self, archives, segments):
        missing = set(segments)
        for archive in archives:
            for name, content in members(archive, segments):
                scene, location = segments[name]
                missing.discard(name)
                yield (
                    name,
                    clip_features.example(
                        content, name, label=scene, location=location
                    ),
                )
        if missing:
            raise UserError(
                f"{len(missing)} of {len(segments)} segments are in none of the "
                f"archives, such as {min(missing)}"
            )


def _read_folds(path):
    """The segments of each split.

    Args:
        path: Path of the archive with `meta.csv` and the lists of fold 1.

    Returns:
        {split: {file name: (scene, location)}}.
    """
    names = ("meta.csv", "fold1_train.txt", "fold1_evaluate.txt")
    tables = {
        name: [line.split("\t") for line in content.decode().splitlines() if line]
        for name, content in members(path, names)
    }
    # filename, scene_label, identifier, source_label
    locations = {_base(row[0]): row[2] for row in tables["meta.csv"][1:]}
    train, test = (
        {
            _base(name): (scene, locations[_base(name)])
            for name, scene, *_ in tables[list_name]
        }
        for list_name in names[1:]
    )
    held_out = validation_locations(train.values())
    return {
        "train": {n: s for n, s in train.items() if s[1] not in held_out},
        "validation": {n: s for n, s in train.items() if s[1] in held_out},
        "test": test,
    }


def validation_locations(segments):
    """The locations of the validation segments.

    They are the first locations of each scene in the order of the SHA-256 of their
    names, up to a tenth of the scene's segments.

    Args:
        segments: (scene, location) of each training segment.

    Returns:
        A set of locations.

    >>> segments = [("park", f"lyon-{n % 3}") for n in range(30)]
    >>> len(validation_locations(segments))
    1
    """
    counts: dict[str, Counter] = defaultdict(Counter)
    for scene, location in segments:
        counts[scene][location] += 1
    chosen = set()
    for scene_counts in counts.values():
        held_out = 0
        for location in sorted(scene_counts, key=_digest):
            if held_out >= _VALIDATION * scene_counts.total():
                break
            held_out += scene_counts[location]
            chosen.add(location)
    return chosen


def _digest(text):
    return hashlib.sha256(text.encode()).digest()


def _base(path):
    return path.rpartition("/")[-1]
