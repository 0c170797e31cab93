"""The code in a model card: each file in its runtime, in a few lines."""

import re
from collections.abc import Iterator, Mapping

from export.contract.heads import output_name
from export.contract.layout import (
    DYNAMIC,
    FLOAT16,
    INT8,
    LISTEN,
    MICRO,
    MICRO_INT8,
    ONNX,
    SAVED_MODEL,
    STREAMING,
    TFLITE,
    VERSION,
    quantized_file,
)
from leaf_files.command_line import script

_TFLITE_FILES = (TFLITE, *map(quantized_file, (FLOAT16, DYNAMIC, INT8)))
_MICRO_FILES = {MICRO: "micro", MICRO_INT8: "micro_int8"}  # names in the report
_PLACE = f"{SAVED_MODEL}/{VERSION}"


def how_to_run(report: Mapping, files: Mapping) -> list[str]:
    """Lines of Markdown on how to run the files of a folder, for those that are there.

    Blocks of Python run in the folder, beside a `clip.wav` of the model's rate.

    Args:
        report: Result of `export.report.content.build_report`.
        files: The paths in the folder are its keys.

    Example:

    >>> report = json.loads(Path("artifacts/report.json").read_text())
    >>> [s for s in how_to_run(report, report["files"]) if s.startswith("###")]
    ['### listen.py', '### LiteRT, Python', '### MediaPipe', '### A web page']
    """
    tflite = next((name for name in _TFLITE_FILES if name in files), None)
    sections: list[Iterator[str]] = []
    if LISTEN in files:
        sections.append(_listen(report))
    if tflite:
        sections.append(_litert(report, tflite))
    if f"{_PLACE}/saved_model.pb" in files:
        sections += [_saved_model(report), _tf_serving(report)]
    if ONNX in files:
        sections.append(_onnx(report))
    if tflite:
        sections += [_mediapipe(report, tflite), _page(report, tflite)]
    sections += [_micro(report, name) for name in _MICRO_FILES if name in files]
    lines = [
        f"A clip is mono here and has {report['sample_rate']} Hz. "
        f"`{script('export')} predict . CLIP`, of leaf_tf, takes any,",
        "averages the windows of longer ones, and decides as is said below.",
    ]
    for section in sections:
        lines += ["", *section]
    return lines


def _listen(report):
    chunk = report["artifacts"]["streaming"]["stream"]["chunk_samples"]
    rate = report["sample_rate"]
    yield f"### {LISTEN}"
    yield ""
    yield f"Prints what `{STREAMING}` detects, {1000 * chunk / rate:g} ms at a time; it"
    yield "resamples. On a Raspberry Pi, too: no TensorFlow is needed."
    yield from _block(
        "sh",
        "python -m pip install ai-edge-litert numpy soundfile soxr",
        f"python {LISTEN} clip.wav",
        f"arecord -q -t raw -f S16_LE -c 1 -r {rate} | python {LISTEN} -",
    )


def _litert(report, tflite):
    yield "### LiteRT, Python"
    yield ""
    yield "`python -m pip install ai-edge-litert numpy soundfile`"
    yield from _block(
        "python",
        "import numpy, soundfile",
        "from ai_edge_litert.interpreter import Interpreter",
        "",
        f'model = Interpreter("{tflite}").get_signature_runner()',
        *_window(report),
        "answers = model(waveform=window)",
        *_best(report),
    )


def _saved_model(report):
    is_fixed = "serving_padded" not in _signatures(report)
    yield "### SavedModel"
    yield ""
    if is_fixed:
        yield "`python -m pip install tensorflow soundfile`; clips are windows."
        sound = ["import numpy, soundfile, tensorflow as tf", "", *_window(report)]
    else:
        yield "`python -m pip install tensorflow soundfile`; clips have any length."
        sound = [
            "import soundfile, tensorflow as tf",
            "",
            _READ,
            "window = waveform[None]",
        ]
    yield from _block(
        "python",
        *sound,
        f'model = tf.saved_model.load("{_PLACE}")',
        'serve = model.signatures["serving_default"]',
        "answers = serve(waveform=tf.constant(window))",
        *(
            f'print({_shown(name)}answers["{output_name(name, "top_labels")}"].numpy()'
            "[0, 0].decode())"
            for name in _heads(report)
        ),
    )
    yield ""
    yield f"Signatures: {', '.join(f'`{name}`' for name in _signatures(report))}."


def _tf_serving(report):
    name = _slug(report["source"])
    yield "### TF Serving, REST"
    yield ""
    yield "The request holds a window as JSON, the answer `predictions`, one a clip."
    yield from _block(
        "sh",
        f"docker run -d -p 8501:8501 -e MODEL_NAME={name} "
        f'-v "$PWD/{SAVED_MODEL}:/models/{name}" tensorflow/serving',
        "python - > request.json << END",
        "import json, soundfile",
        'waveform, rate = soundfile.read("clip.wav")',
        f"window = waveform[:{report['window_samples']}].tolist()",
        'print(json.dumps({"instances": [window]}))',
        "END",
        f"curl -d @request.json http://localhost:8501/v1/models/{name}:predict",
    )


def _onnx(report):
    yield "### ONNX Runtime"
    yield ""
    yield "`python -m pip install onnxruntime numpy soundfile`"
    yield from _block(
        "python",
        "import numpy, onnxruntime, soundfile",
        "",
        f'model = onnxruntime.InferenceSession("{ONNX}")',
        *_window(report),
        "names = [output.name for output in model.get_outputs()]",
        'answers = dict(zip(names, model.run(names, {"waveform": window})))',
        *_best(report),
    )


def _mediapipe(report, tflite):
    yield "### MediaPipe"
    yield ""
    yield "It resamples, cuts windows, and knows the labels. On phones:"
    yield f'`AudioClassifier.createFromFile(context, "{tflite}")` in Kotlin,'
    yield "`AudioClassifier(modelPath: path)` in Swift. In Python, by"
    yield "`python -m pip install mediapipe soundfile`:"
    yield from _block(
        "python",
        "import soundfile",
        "from mediapipe.tasks.python import audio, components",
        "",
        f'model = audio.AudioClassifier.create_from_model_path("{tflite}")',
        _READ,
        "clip = components.containers.AudioData.create_from_array(waveform, rate)",
        "for window in model.classify(clip):",
        "    for head in window.classifications:",
        "        best = max(head.categories, key=lambda c: c.score, default=None)",
        "        print(best and best.category_name)  # None: none of these",
    )


def _page(report, tflite):
    samples = report["window_samples"]
    yield "### A web page"
    yield ""
    yield "`npm install @litertjs/core`; nothing leaves the visitor's browser."
    yield from _block(
        "js",
        'import {loadAndCompile, loadLiteRt, Tensor} from "@litertjs/core";',
        "",
        'await loadLiteRt("node_modules/@litertjs/core/wasm/");',
        f'const model = await loadAndCompile("{tflite}", {{accelerator: "wasm"}});',
        f"const samples = new Float32Array({samples});  // {report['sample_rate']} Hz, "
        "mono",
        f"const waveform = new Tensor(samples, [1, {samples}]);",
        "const answers = await model.run({waveform});",
        *(
            f"console.log(answers.{output_name(name)}.toTypedArray());"
            for name in _heads(report)
        ),
    )


def _micro(report, file):
    measured = report["artifacts"][_MICRO_FILES[file]]
    stem = file.removesuffix(".tflite")
    yield f"### A microcontroller: {file}"
    yield ""
    yield f"`{stem}.c` is the file as C, and `{stem}.h` says what a program must know:"
    yield "operators, states, labels, thresholds. TFLite Micro runs it in an arena of"
    yield f"{measured['arena_bytes']:,} bytes, {measured['stream']['chunk_samples']}"
    yield "samples at a time; the states that it returns go into the next call, zeros"
    yield "into the first. `examples/micro` of leaf_tf is such a program."


_READ = 'waveform, rate = soundfile.read("clip.wav", dtype="float32")'


def _window(report):
    """Lines that make `window`, (1, samples), filled with zeros."""
    samples = report["window_samples"]
    return [
        _READ,
        f'window = numpy.zeros((1, {samples}), "float32")',
        f"window[0, :len(waveform)] = waveform[:{samples}]",
    ]


def _best(report):
    """Lines that print the best label of each head of `answers`."""
    for head in report["heads"]:
        yield (
            f'labels = open("{head["labels_file"]}", encoding="utf-8")'
            ".read().splitlines()"
        )
        yield (
            f"print({_shown(head['name'])}labels"
            f'[answers["{head["output"]}"][0].argmax()])'
        )


def _heads(report):
    return [head["name"] for head in report["heads"]]


def _shown(head):
    return f'"{head}:", ' if head else ""


def _signatures(report):
    return report["artifacts"]["saved_model"].get("signatures", ())


def _slug(name):
    """A name of a model for TF Serving, which stands in addresses."""
    return re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "model"


def _block(language, *lines):
    yield ""
    yield f"```{language}"
    yield from lines
    yield "```"
