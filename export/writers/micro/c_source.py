"""A microcontroller's model as C: an array of bytes, and a header about it."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from export.contract.heads import Head
from export.contract.layout import C_HEADER, C_SOURCE, INPUT, STATE
from export.tflite_format.ends import End
from export.tflite_format.stream_facts import StreamFacts

_BYTES_A_LINE = 12
_NEVER = 2.0  # a threshold that no probability reaches


@dataclasses.dataclass(frozen=True)
class MicroModel:
    """What C has to know of a model.

    Attributes:
        content: Bytes of the `.tflite` file.
        facts: Facts of the stream.
        heads: The heads.
        inputs, outputs: `End`s, in the order of the graph.
        operators: Methods of a resolver, see `operators.micro_operators`.
        arena_bytes: Memory that the model takes.
        made_by: Program and version.
    """

    content: bytes
    facts: StreamFacts
    heads: tuple[Head, ...]
    inputs: tuple[End, ...]
    outputs: tuple[End, ...]
    operators: Sequence[str]
    arena_bytes: int
    made_by: str


def write_c(model: MicroModel, path: Path) -> None:
    """Writes `NAME.c` and `NAME.h` beside a `.tflite` file.

    Equal models give equal files.

    Args:
        model: The model.
        path: Path of the `.tflite` file.
    """
    name = path.stem
    header = path.with_suffix(C_HEADER)
    header.write_text(_header(model, name), encoding="utf-8", newline="\n")
    source = path.with_suffix(C_SOURCE)
    source.write_text(_source(model, name), encoding="utf-8", newline="\n")


def _header(model, name):
    prefix, macro = f"leaf_{name}", f"LEAF_{name.upper()}"
    facts = model.facts
    numbers = {
        "SAMPLE_RATE": (facts.sample_rate, "Hz"),
        "CHUNK_SAMPLES": (facts.chunk_samples, "samples that an answer takes"),
        "HOP_SAMPLES": (facts.hop_samples, "samples between frames"),
        "DELAY_HOPS": (facts.delay_hops, "hops by which frames come late"),
        "WINDOW_FRAMES": (facts.window_frames, "frames an answer is about"),
        "WINDOW_SAMPLES": (facts.window_samples, "samples of these"),
        "ARENA_BYTES": (
            model.arena_bytes,
            "recorded by TFLite Micro on 64 bits; 32 take less",
        ),
        "MODEL_BYTES": (len(model.content), ""),
        "N_STATES": (len(_states(model)), ""),
        "STATES_BYTES": (
            sum(end.zeros().nbytes for end in _states(model)),
            "of all states, beside the arena",
        ),
        "N_HEADS": (len(model.heads), ""),
        "N_LABELS": (max(len(h.labels) for h in model.heads), "of the largest head"),
        "N_OPERATORS": (len(model.operators), "kinds of operators"),
    }
    adding = " \\\n".join(f"    (resolver).{name}();" for name in model.operators)
    return "\n".join(
        [
            f"/* {name}.tflite, by {model.made_by}. Don't edit: export writes it. */",
            f"#ifndef {macro}_H",
            f"#define {macro}_H",
            "",
            "#include <stdint.h>",
            "",
            *(
                f"#define {macro}_{key} {value}" + f" /* {words} */" * bool(words)
                for key, (value, words) in numbers.items()
            ),
            "",
            "/* What a tensor holds: real = scale * (number - zero_point).",
            " * A scale of 0: float32. A state of zeros, as at the start, is",
            " * zero_point in all its numbers. */",
            "#ifndef LEAF_TENSOR",
            "#define LEAF_TENSOR",
            "typedef struct {",
            "  const char *name;",
            "  int32_t count;  /* numbers */",
            "  int32_t bytes;  /* of all of them */",
            "  float scale;",
            "  int32_t zero_point;",
            "} leaf_tensor;",
            "",
            "typedef struct {",
            "  const char *name;  /* empty where there is one head */",
            "  int32_t n_labels;",
            "  const char *const *labels;",
            "  const float *thresholds;  /* probabilities to answer from */",
            "  int32_t is_softmax;  /* one label at most, else any number */",
            "  float temperature;  /* that thresholds assume; 1: none */",
            "} leaf_head;",
            "#endif",
            "",
            "#ifdef __cplusplus",
            'extern "C" {',
            "#endif",
            "",
            f"extern const unsigned char {prefix}_model[{macro}_MODEL_BYTES];",
            "",
            "/* Input 0. Input 1 + i is state i, output N_HEADS + i the next. */",
            f"extern const leaf_tensor {prefix}_waveform;",
            f"extern const leaf_tensor {prefix}_states[{macro}_N_STATES];",
            "/* Output i: the probabilities of head i. */",
            f"extern const leaf_tensor {prefix}_probabilities[{macro}_N_HEADS];",
            f"extern const leaf_head {prefix}_heads[{macro}_N_HEADS];",
            "",
            "#ifdef __cplusplus",
            "}",
            "#endif",
            "",
            "/* Adds the model's operators to a tflite::MicroMutableOpResolver. */",
            f"#define {macro}_ADD_OPERATORS(resolver) \\",
            f"  do {{ \\\n{adding} \\\n  }} while (0)",
            "",
            f"#endif /* {macro}_H */",
            "",
        ]
    )


def _source(model, name):
    prefix, macro = f"leaf_{name}", f"LEAF_{name.upper()}"
    (waveform,) = (end for end in model.inputs if end.name == INPUT)
    answers = [end for end in model.outputs if not end.name.startswith(STATE)]
    lines = [
        f"/* {name}.tflite, by {model.made_by}. Don't edit: export writes it. */",
        f'#include "{name}{C_HEADER}"',
        "",
        "#ifdef __cplusplus",
        "alignas(16)",
        "#else",
        "_Alignas(16)",
        "#endif",
        f"const unsigned char {prefix}_model[{macro}_MODEL_BYTES] = {{",
        *_array(model.content),
        "};",
        "",
        f"const leaf_tensor {prefix}_waveform =",
        f"    {_tensor(waveform)};",
        "",
        f"const leaf_tensor {prefix}_states[{macro}_N_STATES] = {{",
        *(f"    {_tensor(end)}," for end in _states(model)),
        "};",
        "",
        f"const leaf_tensor {prefix}_probabilities[{macro}_N_HEADS] = {{",
        *(f"    {_tensor(end)}," for end in answers),
        "};",
    ]
    for index, head in enumerate(model.heads):
        levels = [min(level, _NEVER) for level in head.decisions.levels(head.labels)]
        lines += [
            "",
            f"static const char *const labels_{index}[] = {{",
            *(f"    {_text(label)}," for label in head.labels),
            "};",
            f"static const float thresholds_{index}[] = {{",
            *(f"    {_float(level)}," for level in levels),
            "};",
        ]
    lines += ["", f"const leaf_head {prefix}_heads[{macro}_N_HEADS] = {{"]
    for index, head in enumerate(model.heads):
        lines.append(
            f"    {{{_text(head.name)}, {len(head.labels)}, labels_{index}, "
            f"thresholds_{index}, {int(not head.multi_label)}, "
            f"{_float(head.decisions.temperature)}}},"
        )
    return "\n".join([*lines, "};", ""])


def _states(model):
    return [end for end in model.inputs if end.name.startswith(STATE)]


def _array(content):
    for start in range(0, len(content), _BYTES_A_LINE):
        row = content[start : start + _BYTES_A_LINE]
        yield "  " + " ".join(f"0x{byte:02x}," for byte in row)


def _tensor(end):
    scale = _float(end.values.scale or 0.0)
    size = end.zeros().nbytes
    name = _text(end.name)
    return f"{{{name}, {end.size}, {size}, {scale}, {end.values.zero_point}}}"


def _float(value):
    return (
        f"{value:.9g}f" if any(c in f"{value:.9g}" for c in ".e") else f"{value:g}.0f"
    )


def _text(text):
    """A string of C: ASCII as it is, other characters as the octal of their bytes."""
    plain = {ord('"'): '\\"', ord("\\"): "\\\\", ord("?"): "\\?"}
    escaped = "".join(
        plain.get(byte, chr(byte)) if 32 <= byte < 127 else f"\\{byte:03o}"
        for byte in text.encode()
    )
    return f'"{escaped}"'
