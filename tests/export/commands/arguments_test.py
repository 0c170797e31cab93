import pytest

from export.commands.arguments import export_parser, options_of
from export.commands.running import predict_parser
from export.writers.options import Options
from leaf_files.errors import UserError


def test_formats_are_those_that_need_nothing_else_by_default():
    arguments = export_parser().parse_args(["run", "--output", "out"])
    assert arguments.formats == ("saved_model", "tflite")


def test_formats_are_a_list():
    arguments = export_parser().parse_args(
        ["run", "--output", "out", "--formats", "tflite, saved_model,tflite"]
    )
    assert arguments.formats == ("saved_model", "tflite")


def test_options():
    parse = export_parser().parse_args
    options = options_of(parse(["run", "--output", "out"]))
    assert options == Options(("saved_model", "tflite"), None, False, 1.0)
    options = options_of(
        parse(
            ["run", "--output", "out", "--quantize", "int8,none", "--embeddings"]
            + ["--formats", "tflite", "--max-accuracy-drop", "0.5"]
        )
    )
    assert options == Options(("tflite",), ("none", "int8"), True, 0.5)


@pytest.mark.parametrize(
    "argv, message",
    [
        (
            ["--formats", "h5"],
            "allowed are saved_model, tflite, onnx, micro; received 'h5'",
        ),
        (
            ["--formats", ""],
            "allowed are saved_model, tflite, onnx, micro; received ''",
        ),
        (
            ["--quantize", "int2"],
            "allowed are none, float16, dynamic, int8, int4; received 'int2'",
        ),
        (["--quantize", "in8"], "received 'in8' (did you mean int8?)"),
        (["--activation", "h=softmx"], "'h=softmx' (did you mean softmax?)"),
        (["--streming"], "unrecognized arguments: --streming (did you mean --stream"),
        (["--max-accuracy-drop", "-1"], "must be points from 0 to 100; received -1"),
        (["--max-accuracy-drop", "nan"], "must be points from 0 to 100; received nan"),
        (["--window", "0"], "must be seconds above 0; received 0"),
        (["--window", "inf"], "must be seconds above 0; received inf"),
        (["--window", "long"], "must be a number; received 'long'"),
    ],
)
def test_export_refuses(argv, message, capsys):
    with pytest.raises(SystemExit) as stop:
        export_parser().parse_args(["run", "--output", "out", *argv])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv, message",
    [
        (["--top", "0", "clip.wav"], "must be at least 1; received 0"),
        (["--sample-rate", "8k", "clip.wav"], "must be a number; received '8k'"),
        ([], "the following arguments are required: CLIP"),
    ],
)
def test_predict_refuses(argv, message, capsys):
    with pytest.raises(SystemExit) as stop:
        predict_parser().parse_args(["model.tflite", *argv])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--quantize", "int8"], ["--embeddings"]])
def test_options_of_files_that_are_left_out_are_refused(option):
    argv = ["run", "--output", "out", "--formats", "saved_model", *option]
    with pytest.raises(UserError, match=f"{option[0]} is about TFLite files"):
        options_of(export_parser().parse_args(argv))
