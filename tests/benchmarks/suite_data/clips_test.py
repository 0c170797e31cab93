from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.suite_data.clips import ClipFolder, as_name, shuffled
from leaf_files.clips import read_clip, write_clip


@pytest.fixture
def clips(tmp_path):
    return ClipFolder(tmp_path / "task", 8000, shortest=0.1, longest=0.5)


def test_a_clip_is_cut_and_named_by_label_group_and_sound(clips, rng):
    waveform = rng.uniform(-0.5, 0.5, 6000)
    path = clips.add("dog", "garden", waveform)
    assert path.parts[0] == "dog" and path.name.startswith("garden__")
    written, rate = read_clip(clips.folder / path)
    assert rate == 8000
    np.testing.assert_allclose(written, waveform[:4000], atol=1e-4)
    assert clips.written == {("dog", "garden"): 1}


def test_what_is_passed_over_is_counted_and_not_written(clips, rng):
    waveform = rng.uniform(-0.5, 0.5, 4000)
    assert clips.add("dog", "garden", waveform)
    # A copy, of any label and group; what is cut off makes no difference.
    assert clips.add("cat", "house", np.append(waveform, waveform)) is None
    assert clips.add("dog", "garden", waveform[:799]) is None
    assert clips.add("dog", "garden", waveform * 1e-3) is None
    assert clips.add("dog", "garden", waveform[:800])
    assert clips.passed_over == Counter(
        {"copies of others": 1, "shorter than 0.1 s": 1, "silent": 1}
    )
    assert len(list(clips.folder.rglob("*.flac"))) == 2


def test_files_are_resampled_and_unreadable_ones_counted(clips, tmp_path, rng):
    paths = [tmp_path / f"{n}.wav" for n in range(4)]
    for path in paths[1:]:
        write_clip(path, rng.uniform(-0.5, 0.5, 4000), 16000)
    paths[0].write_bytes(b"no audio")
    clips.add_files("dog", "garden", paths, most=2)
    assert clips.written == {("dog", "garden"): 2}
    assert clips.passed_over == {"unreadable": 1}
    for path in clips.folder.rglob("*.flac"):
        assert read_clip(path)[0].size == 2000


def test_the_order_is_of_the_names_not_of_the_place():
    names = [f"{n}.wav" for n in range(20)]
    one, other = Path("/a"), Path("/b/c")
    order = [path.name for path in shuffled((one / name for name in names), one)]
    assert order == [
        path.name for path in shuffled((other / name for name in names[::-1]), other)
    ]
    assert sorted(order) == sorted(names) and order != names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The Black Pearl 1.0", "The_Black_Pearl_1_0"),
        ("share/border__x", "share_border_x"),
    ],
)
def test_names_have_no_two_underscores(text, name):
    assert as_name(text) == name
