"""Spoken digits by speaker, from TFDS's spoken_digit."""

import re
from collections.abc import Callable
from pathlib import Path

from benchmarks.suite_data.clips import ClipFolder
from leaf_files.clips import write_clip
from leaf_files.errors import UserError
from leaf_files.quiet import import_tensorflow
from training.tasks.registry import get_task

NAME = "digits"
LABEL = "digit, 0 to 9"
GROUP = "speaker"
DATASET = "spoken_digit"
LICENCE = "CC BY-SA 4.0"
_FILE = re.compile(r"(\d)_([a-z]+)_(\d+)\.wav")


def build(
    folder: Path, data_dir: Path | None, say: Callable[[str], object] = print
) -> tuple[ClipFolder, str]:
    """Writes the clips of the task.

    Args:
        folder: Folder of the task.
        data_dir: Folder of TFDS. Defaults to TFDS's own.
        say: Function that shows a line.

    Returns:
        (counts, version): a `ClipFolder` with the counts of clips, and the version of
        the data set.

    Raises:
        UserError: The data set can't be had.
    """
    import_tensorflow()
    from training.tasks.tfds import data_folder
    from training.tasks.tfds_manners import quiet

    say(f"  getting TFDS's {DATASET} (11 MB), if it isn't there")
    data_dir_name = data_folder(data_dir and str(data_dir))
    task = get_task(DATASET)
    task.load(data_dir_name)  # its errors are for people

    import tensorflow_datasets as tfds

    clips = ClipFolder(folder, task.sample_rate, 0.0, 60.0)
    with quiet():
        builder = tfds.builder(DATASET, data_dir=data_dir_name)
        examples = tfds.as_numpy(builder.as_dataset(split="train"))
    for example in examples:
        name = example["audio/filename"].decode()
        match = _FILE.fullmatch(name)
        if match is None:
            raise UserError(f"the name of {DATASET}'s clip {name} says no speaker")
        digit, speaker, _ = match.groups()
        path = folder / digit / f"{name.removesuffix('.wav')}.flac"
        write_clip(path, example["audio"] / 32768.0, task.sample_rate)
        clips.written[digit, speaker] += 1
    return clips, str(builder.version)
