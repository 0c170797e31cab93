"""Clips of what a model doesn't know, in folders of the user's."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from leaf_files.clips import hear_clip
from leaf_files.command_line import a_few, note
from leaf_files.errors import UserError
from leaf_files.oddities import warn_of_all
from leaf_files.run_folder import Head
from leaf_files.walk import cannot_be_used, find_clips
from leaf_files.windows import cut_windows
from training.evaluation.clips import ClipPredictions, MultiLabelPredictions

_MOMENT = 2.0  # seconds


def find_unknown(folders):
    """The clips in each of some folders, at any depth, {folder: paths}.

    Args:
        folders: Names of folders.

    Raises:
        UserError: One isn't there, or holds none.

    >>> {folder: len(paths) for folder, paths in find_unknown(["drums"]).items()}
    {'drums': 10}
    """
    for folder in folders:
        if not Path(folder).is_dir():
            raise UserError(
                f"there is no folder {folder}; name a folder of clips of what the "
                "model doesn't know as --unknown"
            )
    return {folder: find_clips(Path(folder), "clips") for folder in folders}


def predict_unknown(opened, model, heads, paths, noise=None):
    """The predictions of a model for clips without any label that it knows.

    Args:
        opened: `OpenRun` of the run.
        model: Its Keras model.
        heads: `Head`s whose predictions are wanted.
        paths: Paths of the clips.
        noise: `training.evaluation.noise.Noise` to add to the clips, or None.

    Returns:
        {head: `ClipPredictions` or `MultiLabelPredictions`}; a clip's logits are the
        means over its windows, as in `ClipEvaluator`.

    Raises:
        UserError: Clips can't be read, unless the run skips such, or none can.

    >>> from training.evaluation.opening import OpenRun
    >>> opened = OpenRun.open("run")
    >>> [paths] = find_unknown(["drums"]).values()
    >>> found = predict_unknown(opened, opened.load_model(), opened.heads, paths)
    >>> found[opened.heads[0]].logits.shape
    (10, 2)
    """
    logits_of: dict[Head, list[np.ndarray]] = {head: [] for head in heads}
    errors, oddities = [], {}
    bar = tqdm(
        paths,
        desc="evaluating",
        unit=" clips",
        delay=_MOMENT,
        leave=False,
        disable=None,  # without a terminal
    )
    for index, path in enumerate(bar):
        try:
            clip = hear_clip(path, opened.config.sample_rate)
        except UserError as error:
            errors.append(error)
            continue
        waveform = clip.waveform
        if noise is not None:
            waveform = noise.add(waveform, index)
        windows = cut_windows(waveform, opened.config.window_samples)
        logits = opened.logits(model, windows)
        for head, means in logits_of.items():
            means.append(logits[head].mean(axis=0))
        oddities[str(path)] = clip.oddities
    _tell(errors, len(paths), opened.config.skip_bad_clips)
    warn_of_all(oddities, len(oddities))
    return {
        head: _without_labels(np.array(means), head, list(oddities))
        for head, means in logits_of.items()
    }


def _without_labels(logits, head, names):
    if head.multi_label:
        return MultiLabelPredictions(logits, np.zeros(logits.shape), names)
    return ClipPredictions(logits, np.full(len(logits), -1), names)


def _tell(errors, n_paths, skips):
    """Names clips that can't be read; raises unless they are to be skipped."""
    if not errors:
        return
    summary = f"{cannot_be_used(errors, n_paths)}"
    named = a_few(errors, between="; ")
    if not skips or len(errors) == n_paths:
        raise UserError(f"{summary}; mend them, or add --skip-bad-clips: {named}")
    note(f"{summary} and are skipped: {named}")
