"""AudioSet: the lists of segments, and a folder of clips that a person collected."""

import csv
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import tensorflow_datasets as tfds

from leaf_files.command_line import note
from leaf_files.errors import UserError
from leaf_files.text import read_lines, read_table
from leaf_files.walk import walk
from training.tasks.builders import clip_features

FOLDER = "audioset"
CLASSES = "class_labels_indices.csv"
CLIPS = "clips"
N_CLASSES = 527
# A video's name of 11 characters, start and end in any unit.
_VIDEO = re.compile(r"([\w-]{11})(?:_\d+(?:\.\d+)?){0,2}")
_CHUNK = 256  # clips that are read ahead


class AudioSet(tfds.core.GeneratorBasedBuilder):
    """Which of 527 kinds of sound are heard in the 10 s of a segment, any number.

    The splits are the official ones, without the clips that aren't there: videos
    vanish. The configuration "balanced" has balanced_train and eval, "full"
    has unbalanced_train, too.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name="balanced", description="balanced_train, eval"),
        tfds.core.BuilderConfig(name="full", description="unbalanced_train as well"),
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"{FOLDER}/ holds {CLASSES}, eval_segments.csv, balanced_train_segments.csv, "
        f"unbalanced_train_segments.csv (configuration full), and {CLIPS}/, whose "
        "audio files, in any subfolders, are named by the video: -0RWZT-miFs.flac, "
        "Y-0RWZT-miFs.wav or -0RWZT-miFs_420000_430000.wav."
    )

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            features=clip_features.features(
                labels=tfds.features.Sequence(
                    tfds.features.ClassLabel(num_classes=N_CLASSES)
                )
            ),
            homepage="https://research.google.com/audioset/download.html",
            citation="J. F. Gemmeke et al.: Audio Set: an ontology and human-labeled "
            "dataset for audio events, ICASSP 2017",
        )

    def _split_generators(self, dl_manager):
        folder = dl_manager.manual_dir / FOLDER
        names = _read_classes(folder / CLASSES)
        self.info.features["labels"].feature.names = list(names.values())
        clips = _find_clips(folder / CLIPS)
        splits = ["balanced_train", "eval"]
        if self.builder_config.name == "full":
            splits.append("unbalanced_train")
        return {
            split: self._generate_examples(
                split, _read_segments(folder / f"{split}_segments.csv"), names, clips
            )
            for split in splits
        }

    def _generate_examples(self, split, segments, names, clips):
        present = [video for video in segments if video in clips]
        if not present:
            raise UserError(
                f"none of the {len(segments)} clips of {split} are in {FOLDER}/{CLIPS}"
            )
        damaged = []
        for video, example in _read(present, clips):
            if isinstance(example, UserError):
                damaged.append(str(example))
            else:
                labels = [names[label] for label in segments[video]]
                yield video, {**example, "labels": labels}
        print(
            f"{split}: {len(present) - len(damaged)} of {len(segments)} clips"
            + (f"; left out {len(damaged)}, such as: {damaged[0]}" if damaged else ""),
            file=sys.stderr,
        )


def _read_classes(path):
    """{machine id: name} from `class_labels_indices.csv`, in the order of indices."""
    rows = sorted(read_table(path), key=lambda row: int(row["index"]))
    if len(rows) != N_CLASSES:
        raise UserError(f"{path} has {len(rows)} classes; AudioSet's has {N_CLASSES}")
    return {row["mid"]: row["display_name"] for row in rows}


def _read_segments(path):
    """{video: machine ids of its labels} from a list of segments."""
    lines = [line for line in read_lines(path) if not line.startswith("#")]
    rows = csv.reader(lines, skipinitialspace=True)
    return {row[0]: row[3].split(",") for row in rows if row}


def _find_clips(folder):
    """{video: path of its clip}; files that are passed over are named on stderr."""
    walked = walk(folder)
    if walked.passed_over:
        note(walked.passed_over)
    return {
        video_of(path.name): str(path) for path in walked.clips if video_of(path.name)
    }


def video_of(name):
    """The video that a file's name gives: VIDEO.x, YVIDEO.x or VIDEO_START_END.x.

    >>> video_of("Y-0RWZT-miFs.wav"), video_of("-0RWZT-miFs_420000_430000.flac")
    ('-0RWZT-miFs', '-0RWZT-miFs')
    """
    stem = name.rpartition(".")[0]
    match = _VIDEO.fullmatch(stem) or _VIDEO.fullmatch(stem.removeprefix("Y"))
    return match.group(1) if match else None


def _read(videos, clips):
    """(video, its example, or a `UserError` if its clip is damaged), in order."""

    def read(video):
        try:
            with open(clips[video], "rb") as file:
                return clip_features.example(file.read(), video)
        except UserError as error:
            return error

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(videos), _CHUNK):
            chunk = videos[start : start + _CHUNK]
            yield from zip(chunk, pool.map(read, chunk))
