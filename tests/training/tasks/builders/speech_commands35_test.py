import numpy as np
import pytest
import tensorflow_datasets as tfds

from leaf_files.errors import UserError
from tests.training.miniatures import PER_WORD, encoded, place_download, tar, word_sound
from training.tasks.builders import speech_commands35
from training.tasks.registry import get_task


def test_each_word_is_a_class_and_the_lists_say_what_tests(miniature):
    data = miniature("speech_commands_35")
    assert data.labels == speech_commands35.WORDS
    assert len(data.labels) == 35
    heard = set()
    for split, indices in (("train", {2, 3}), ("validation", {0}), ("test", {1})):
        clips = list(data.splits[split].dataset(16000).as_numpy_iterator())
        assert len(clips) == data.splits[split].n_examples == 35 * len(indices)
        for clip in clips:
            word, name = clip["clip"].decode().split("/")
            index = int(name.split("_")[0], 16)
            assert index in indices
            assert data.labels[clip["label"]] == word
            np.testing.assert_allclose(
                clip["waveform"], word_sound(word, index), atol=1e-6
            )
            heard.add((word, index))
    assert len(heard) == 35 * PER_WORD


def test_the_archive_is_that_of_tfds_and_checked_by_the_same_checksum():
    theirs = tfds.builder_cls("speech_commands").url_infos
    ours = speech_commands35.SpeechCommands35.url_infos
    assert ours == {speech_commands35.URL: theirs[speech_commands35.URL]}


def test_an_archive_without_its_lists_is_refused(tmp_path):
    content = tar({"yes/a.wav": encoded(np.ones(9))})
    place_download(tmp_path, "speech_commands", content, speech_commands35.URL)
    with pytest.raises(UserError, match="lacks one of validation_list.txt"):
        get_task("speech_commands_35").load(tmp_path)
