import pytest
import tensorflow as tf

from training.tasks.records import Records


def write(path, records):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)
    return path


def test_records_are_those_that_tensorflow_wrote_in_any_order(tmp_path):
    first = [b"a" * n for n in (0, 1, 1000, 7)]
    second = [b"b" * n for n in (3, 2**16)]
    paths = [write(tmp_path / "1", first), write(tmp_path / "2", second)]
    records = Records([(paths[0], 0, 4), (paths[1], 0, 2)])
    assert len(records) == 6
    for index in (5, 0, 3, 4, 2, 1):
        read = tf.function(records.read)(tf.constant(index, tf.int64))
        assert read.numpy() == (first + second)[index]


def test_parts_of_files(tmp_path):
    path = write(tmp_path / "1", [b"0", b"1", b"2", b"3"])
    records = Records([(path, 2, 2), (path, 0, 1)])
    found = tf.data.Dataset.range(3).map(records.read).as_numpy_iterator()
    assert list(found) == [b"2", b"3", b"0"]


@pytest.mark.parametrize("left", [0, 5, 20, 47])
def test_a_file_that_is_cut_short_is_named(tmp_path, left):
    """Three records of 16 bytes around 0 bytes."""
    path = write(tmp_path / "1", [b""] * 3)
    whole = path.read_bytes()
    assert len(whole) == 48
    Records([(path, 0, 3)])
    path.write_bytes(whole[:left])
    number = left // 16
    with pytest.raises(ValueError, match=f"1 is cut short: .* record {number}"):
        Records([(path, 0, 3)])
