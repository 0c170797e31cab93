import dataclasses
import io
import zipfile

import pytest
from ai_edge_litert import schema_py_generated as schema

from export.tflite_format.metadata import (
    Metadata,
    Output,
    add_metadata,
    append_labels,
    read_metadata,
)
from export.tflite_format.model import read_model, write_model
from export.tflite_format.score_units import ScoreUnits
from tests.export.conftest import LABELS

METADATA = Metadata(
    "kompass",
    "Wo der Wind herweht: Nord, Süd.",
    44100,
    (
        Output("winds", "Of 3 labels.", "labels_winds.txt", ("föhn", "bise", "joran")),
        Output("features", "No labels."),
    ),
)


def with_metadata(content, metadata):
    model = read_model(content)
    add_metadata(model, metadata)
    return append_labels(write_model(model), metadata)


@pytest.fixture(scope="module")
def content(exported):
    return (exported / "model.tflite").read_bytes()


def test_metadata_is_read_as_it_was_written(content):
    assert read_metadata(with_metadata(content, METADATA)) == METADATA


def test_units_and_their_parameters_are_read_as_they_were_written(content):
    units = ScoreUnits(0.75, slopes=(0.5, 0.5, 0.5), least=(0.9375, 0.0, 2.0))
    winds, features = METADATA.outputs
    for each in (units, ScoreUnits(threshold=0.5)):
        output = dataclasses.replace(winds, units=each)
        metadata = dataclasses.replace(METADATA, outputs=(output, features))
        written = with_metadata(content, metadata)
        assert read_metadata(written) == metadata
        with zipfile.ZipFile(io.BytesIO(written)) as archive:
            has_parameters = "score_calibration_winds.txt" in archive.namelist()
        assert has_parameters == each.calibrates


@pytest.mark.parametrize("line", ["", "1,0.5,0", "2,0.5,0,0", "1,0.5,1,0", "a,b,c,d"])
def test_parameters_of_others_are_passed_over(content, monkeypatch, line):
    """A line may hold no or three numbers, and other programs scale and shift."""
    units = ScoreUnits(0.75, slopes=(0.5, 0.5, 0.5), least=(0.0, 0.0, 0.0))
    output = dataclasses.replace(METADATA.outputs[0], units=units)
    metadata = dataclasses.replace(METADATA, outputs=(output,))
    theirs = "\n".join(["1,0.5,0,0", line, "1,0.5,0,0"])
    monkeypatch.setattr(
        "export.tflite_format.metadata.parameters_text", lambda _: theirs
    )
    read = read_metadata(with_metadata(content, metadata)).outputs[0]
    assert read == dataclasses.replace(output, units=ScoreUnits(threshold=0.75))


def test_it_is_replaced_not_piled_up(content):
    twice = with_metadata(with_metadata(content, METADATA), METADATA)
    assert twice == with_metadata(content, METADATA)


def test_the_labels_unzip_as_files(content):
    with zipfile.ZipFile(io.BytesIO(with_metadata(content, METADATA))) as archive:
        assert archive.namelist() == ["labels_winds.txt"]
        assert archive.read("labels_winds.txt").decode() == "föhn\nbise\njoran\n"


def test_the_flatbuffer_is_one_that_names_itself(content):
    model = schema.Model.GetRootAs(with_metadata(content, METADATA))
    entries = {model.Metadata(i).Name(): i for i in range(model.MetadataLength())}
    place = model.Metadata(entries[b"TFLITE_METADATA"]).Buffer()
    assert model.Buffers(place).DataAsNumpy().tobytes()[4:8] == b"M001"


def test_exports_say_what_they_take_and_answer(exported):
    metadata = read_metadata((exported / "model.tflite").read_bytes())
    assert (metadata.name, metadata.sample_rate) == ("compass", 8000)
    (output,) = metadata.outputs
    assert (output.name, output.labels_file) == ("probabilities", "labels.txt")
    assert output.labels == LABELS
    features = read_metadata((exported / "frontend.tflite").read_bytes())
    assert [output.name for output in features.outputs] == ["features"]


def test_a_file_without_metadata_has_none(content):
    model = read_model(content)
    model.metadata = []
    assert read_metadata(write_model(model)) is None
