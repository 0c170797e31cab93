"""The registry of tasks, by name."""

import os
from pathlib import Path
from typing import Any

from leaf_files.command_line import did_you_mean
from leaf_files.errors import UserError
from training.settings.fields import COLUMNS, settings_of
from training.tasks.background.sources import BackgroundSources
from training.tasks.own.folder import FolderTask
from training.tasks.own.table import TABLE_PREFIX, TableTask, is_table, looks_like_table
from training.tasks.own.task import Opening, OwnTask
from training.tasks.shards import PREFIX as SHARDS_PREFIX
from training.tasks.shards import ShardsTask, expanded
from training.tasks.splits.splitting import Splitting
from training.tasks.tfds import TfdsTask

_FOLDER_PREFIX = "folder:"
OWN_PREFIXES = (_FOLDER_PREFIX, TABLE_PREFIX)  # of tasks of a user's own clips
_GIB = 2**30

_OFFICIAL = {"train": "train", "validation": "validation", "test": "test"}

# Settings in common to the tasks of one data set.
_DIGITS: dict[str, Any] = {
    "dataset": "spoken_digit",
    "clip_key": "audio/filename",
    "sample_rate": 8000,
    "licence": "CC BY-SA 4.0",
    "homepage": "https://github.com/Jakobovski/free-spoken-digit-dataset",
    "download_bytes": 11 * 2**20,
}
_NSYNTH: dict[str, Any] = {
    "dataset": "nsynth/full",
    "clip_key": "id",
    "splits": {"train": "train", "validation": "valid", "test": "test"},
    "split_rule": "official, no instrument of train in the others",
    "sample_rate": 16000,
    "licence": "CC BY 4.0",
    "homepage": "https://magenta.tensorflow.org/datasets/nsynth",
    "download_bytes": 78461286497,
    "needs_beam": True,
}
_AUDIOSET: dict[str, Any] = {
    "builder_module": "training.tasks.builders.audio_set",
    "label_key": "labels",
    "clip_key": "clip",
    "metric": "mAP",
    "split_rule": "official; a fixed tenth of balanced_train validates",
    "sample_rate": 44100,
    "licence": "CC BY 4.0 (labels); the clips belong to who uploaded them",
    "homepage": "https://research.google.com/audioset/download.html",
    "by_hand": "put into {manual}/audioset the lists of the homepage "
    "(class_labels_indices.csv, eval_segments.csv, balanced_train_segments.csv, "
    "unbalanced_train_segments.csv) and the clips that you have, 10 s each, as WAV, "
    "FLAC, OGG, Opus or MP3: clips/VIDEO.flac, clips/YVIDEO.flac or "
    "clips/VIDEO_START_END.flac, in any subfolders",
}

_TASKS = (
    TfdsTask(
        name="synthetic",
        about="8 synthesised words of two syllables, 125 speakers, noise and rooms",
        dataset="leaf_synthetic",
        builder_module="training.tasks.synthetic",
        splits=_OFFICIAL,
        split_rule="fixed, no speaker in two of them",
        sample_rate=16000,
        licence="Apache-2.0",
        homepage="this package",
        download_bytes=0,
    ),
    TfdsTask(
        name="spoken_digit",
        about="10 digits, 5 English speakers",
        split_rule="80/10/10 within each class by the seed; speakers are in all three",
        **_DIGITS,
    ),
    TfdsTask(
        name="spoken_digit@speaker",
        about="10 digits by a speaker unseen in training",
        group_pattern=r"\d_(\w+)_\d+\.wav",
        split_rule="of the 5 speakers by name, the one at seed mod 5 tests, the next "
        "one validates, the others train",
        **_DIGITS,
    ),
    TfdsTask(
        name="speech_commands",
        about="keyword spotting: 10 commands, unknown words, silence, as TFDS has it",
        dataset="speech_commands",
        splits=_OFFICIAL,
        split_rule="official, no speaker in two of them",
        sample_rate=16000,
        licence="CC BY 4.0",
        homepage="https://arxiv.org/abs/1804.03209",
        download_bytes=2541486466,
    ),
    TfdsTask(
        name="speech_commands_35",
        about="keyword spotting: all 35 words of Speech Commands v2, as in LEAF's "
        "paper",
        dataset="speech_commands35",
        builder_module="training.tasks.builders.speech_commands35",
        clip_key="clip",
        splits=_OFFICIAL,
        split_rule="official, no speaker in two of them",
        sample_rate=16000,
        licence="CC BY 4.0",
        homepage="https://arxiv.org/abs/1804.03209",
        download_bytes=2428923189,
    ),
    TfdsTask(
        name="voxceleb",
        about="speaker identification: 1,251 celebrities (VoxCeleb1)",
        dataset="voxceleb",
        splits=_OFFICIAL,
        split_rule="official (iden_split.txt): speakers in all three, a video in one",
        sample_rate=16000,
        licence="CC BY 4.0; the recordings belong to their owners",
        homepage="https://www.robots.ox.ac.uk/~vgg/data/voxceleb/vox1.html",
        download_bytes=36 * _GIB,
        by_hand="ask for access at the homepage, and make one archive, "
        "{manual}/vox_dev_wav.zip, that holds the folders wav/id10001 to "
        "wav/id11251 of the dev and the test archive (the dev archive alone lacks 40 "
        "of the speakers)",
    ),
    TfdsTask(
        name="crema_d",
        about="emotion: neutral, happy, sad, angry, afraid, disgusted; 91 actors",
        dataset="crema_d",
        splits=_OFFICIAL,
        split_rule="TFDS's, 70/10/20 % of the actors, none in two of them",
        sample_rate=16000,
        licence="ODbL 1.0",
        homepage="https://github.com/CheyneyComputerScience/CREMA-D",
        download_bytes=580 * 2**20,
    ),
    TfdsTask(
        name="voxforge",
        about="language identification: German, English, Spanish, French, Italian, "
        "Russian",
        dataset="voxforge",
        splits=_OFFICIAL,
        split_rule="TFDS's, 70/10/20 % of the speakers, none in two of them",
        sample_rate=16000,
        licence="GPL v3",
        homepage="http://www.voxforge.org/",
        download_bytes=60 * _GIB,
        needs_beam=True,
        by_hand="the list of archives is at "
        "https://storage.googleapis.com/tfds-data/downloads/voxforge/"
        "voxforge_urls.txt; in {manual} run: wget -x -i voxforge_urls.txt",
    ),
    TfdsTask(
        name="nsynth_instrument",
        about="11 families of instruments, single notes of 4 s",
        label_key="instrument/family",
        **_NSYNTH,
    ),
    TfdsTask(
        name="nsynth_pitch",
        about="128 MIDI pitches, single notes of 4 s",
        label_key="pitch",
        **_NSYNTH,
    ),
    TfdsTask(
        name="tut_urban",
        about="acoustic scenes: 10 of them, in 6 European cities (TUT Urban Acoustic "
        "Scenes 2018, development)",
        dataset="tut_urban_scenes2018",
        builder_module="training.tasks.builders.tut_urban",
        clip_key="clip",
        splits=_OFFICIAL,
        split_rule="test: official fold 1; validation: of its training segments those "
        "of a tenth of the locations of each scene",
        sample_rate=48000,
        licence="TUT's own: free, not for commerce",
        homepage="https://zenodo.org/record/1228142",
        download_bytes=21353161165,
    ),
    TfdsTask(
        name="birdsong",
        about="whether a bird is heard in 10 s (DCASE 2018: freefield1010, warblrb10k, "
        "BirdVox-DCASE-20k)",
        dataset="dcase2018_birds",
        builder_module="training.tasks.builders.birdsong",
        clip_key="clip",
        splits=_OFFICIAL,
        split_rule="80/10/10 within each set and class, by a hash of the clip's name; "
        "no labels of the official test are public",
        sample_rate=44100,
        licence="CC BY 4.0",
        homepage="https://dcase.community/challenge2018/task-bird-audio-detection",
        download_bytes=int(25.5e9),
    ),
    TfdsTask(
        name="audioset",
        about="527 kinds of sound, any number in 10 s (AudioSet, balanced and "
        "unbalanced)",
        dataset="audio_set/full",
        splits={
            "train": "balanced_train[10%:]+unbalanced_train",
            "validation": "balanced_train[:10%]",
            "test": "eval",
        },
        download_bytes=int(3.6e12),
        **_AUDIOSET,
    ),
    TfdsTask(
        name="audioset_balanced",
        about="527 kinds of sound, any number in 10 s (AudioSet, balanced)",
        dataset="audio_set/balanced",
        splits={
            "train": "balanced_train[10%:]",
            "validation": "balanced_train[:10%]",
            "test": "eval",
        },
        download_bytes=int(75e9),
        **_AUDIOSET,
    ),
)


def known_tasks():
    """The records of all tasks with a name of their own.

    >>> [task.name for task in known_tasks()][:2]
    ['synthetic', 'spoken_digit']
    """
    return _TASKS


def get_task(name, config=None):
    """The task that `--task` names.

    Args:
        name: Name of a known task, "folder:PATH", "table:FILE", "table:FILE#COLUMN", or
            "shards:PATH".
        config: `FitConfig` whose settings say how its data is read and split; None for
            their defaults.

    Raises:
        UserError: No such task.

    >>> get_task("spoken_digit").about
    '10 digits, 5 English speakers'
    >>> get_task("folder:/data/drums").path.name
    'drums'
    """
    splitting = Splitting.of(config)
    if name.startswith(_FOLDER_PREFIX) and name != _FOLDER_PREFIX:
        path = Path(name[len(_FOLDER_PREFIX) :]).expanduser()
        return FolderTask(
            path,
            skip_bad_clips=config is not None and config.skip_bad_clips,
            splitting=splitting,
            opening=Opening.of(config),
            sources=BackgroundSources.of(config),
            is_multi_label=config is not None and config.multi_label,
        )
    if is_table(name):
        return TableTask.of(name.removeprefix(TABLE_PREFIX), config)
    if name.startswith(SHARDS_PREFIX) and name != SHARDS_PREFIX:
        path_name = expanded(name[len(SHARDS_PREFIX) :])
        return ShardsTask(path_name, sources=BackgroundSources.of(config))
    for task in _TASKS:
        if task.name == name:
            return task.split_by(splitting).beside(BackgroundSources.of(config))
    known = [task.name for task in _TASKS]
    raise UserError(
        f"there is no task {name!r}{_meant(name, known)}; the tasks are "
        f"{', '.join(known)}, {_FOLDER_PREFIX}PATH, a folder with a subfolder of clips "
        f"per class, {TABLE_PREFIX}FILE, a table of clips and their labels, and "
        f"{SHARDS_PREFIX}PATH, a folder that `prepare` wrote"
    )


def _meant(name, known):
    """A hint at the task that an unknown name may mean; an existing folder first."""
    for path in (name, name.partition(":")[2]):
        if os.path.isdir(os.path.expanduser(path)):
            return f" (did you mean {_FOLDER_PREFIX}{path}?)"
        if looks_like_table(path):
            return f" (did you mean {TABLE_PREFIX}{path}?)"
    return did_you_mean([name], known)


def get_tasks(config):
    """The tasks of a `FitConfig`, a tuple.

    Raises:
        UserError: One of them doesn't exist, or settings of splits or of columns apply
            to none.

    >>> from training.settings.config import FitConfig
    >>> [task.dataset for task in get_tasks(FitConfig("synthetic,crema_d"))]
    ['leaf_synthetic', 'crema_d']
    """
    try:
        tasks = tuple(get_task(name, config) for name in config.tasks)
    except UserError as error:
        has_path = _FOLDER_PREFIX in config.task or TABLE_PREFIX in config.task
        if "," not in config.task or not has_path:
            raise
        raise UserError(
            f"{error}; commas separate tasks, so the path of a folder or a table can't "
            "hold one: rename it, or name a link to it"
        ) from error
    options = Splitting.of(config).options
    reasons = [task.why_not_split for task in tasks]
    if options and all(reasons):
        raise UserError(f"{reasons[0]}: leave out {' and '.join(options)}")
    _require_table(config)
    others = [task.name for task in tasks if not isinstance(task, OwnTask)]
    if config.multi_label and others:
        raise UserError(
            "--multi-label is for clips of your own, "
            f"{_FOLDER_PREFIX}PATH or {TABLE_PREFIX}FILE. Received: --task {others[0]}"
        )
    for task in tasks:
        if task.sources is not None:
            task.sources.require(task)
    return tasks


def _require_table(config):
    """Refuses settings of columns where no task is a table."""
    given = [
        "--" + name.replace("_", "-")
        for name, entry in settings_of(type(config)).items()
        if entry.group == COLUMNS and getattr(config, name) != entry.default
    ]
    if given and not any(map(is_table, config.tasks)):
        raise UserError(
            f"{' and '.join(given)} {'is' if len(given) == 1 else 'are'} for a table, "
            f"--task {TABLE_PREFIX}FILE. Received: --task {config.task}"
        )


def split_rule(task, data):
    """The rule by which a task was split, a phrase.

    Args:
        task: The task.
        data: `TaskData` of the task.

    >>> task = get_task("folder:drums")
    >>> split_rule(task, task.load())
    '80/10/10 within each class by the seed'
    """
    if data.given_splits:
        return f"as the data says itself for {' and '.join(data.given_splits)}"
    if task.splitting is None:
        return task.split_rule
    words = task.splitting.in_words
    if data.splits["test"].groups is not None:
        words = words.replace(
            "within each class", "in whole groups, which the data tells,"
        )
    return words


def about(task, data):
    """What is known of a task's data, in words, for who gets the model.

    Args:
        task: The task.
        data: `TaskData` of the task.

    Returns:
        {"split": the rule of the splits, "split_by": "the data set" or "leaf_tf"}, and
        "licence" and "homepage" of a data set that has a name.

    >>> task = get_task("folder:drums")
    >>> about(task, task.load())
    {'split': '80/10/10 within each class by the seed', 'split_by': 'leaf_tf'}
    """
    is_given = bool(data.given_splits) or is_official(task)
    known = {
        "split": split_rule(task, data),
        "split_by": "the data set" if is_given else "leaf_tf",
    }
    for name in ("licence", "homepage"):
        value = getattr(task, name, None)
        if value:
            known[name] = str(value)
    return known


def is_official(task):
    """Whether the splits are those of a data set, which nobody's seed draws.

    >>> is_official(get_task("folder:drums"))
    False
    """
    return getattr(task, "splits", None) is not None
