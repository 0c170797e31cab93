import soundfile

from benchmarks.suite_data import digits
from tests.training import miniatures


def test_digits_are_those_of_tfds_by_speaker(tmp_path):
    data_dir = tmp_path / "tfds"
    miniatures.spoken_digit(data_dir, per_digit=2)
    folder = tmp_path / "digits"
    clips, version = digits.build(folder, data_dir, lambda line: None)
    paths = sorted(folder.rglob("*.flac"))
    assert len(paths) == sum(clips.written.values())
    assert {label for label, _ in clips.written} == set("0123456789")
    assert version == "1.0.9"
    for path in paths:
        digit, speaker, _ = path.stem.split("_")
        assert path.parent.name == digit
        assert clips.written[digit, speaker]
        info = soundfile.info(path)
        assert (info.samplerate, info.channels) == (8000, 1)
