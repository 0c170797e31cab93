"""examples/micro: what doesn't need TFLite Micro is built and run."""

import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "micro"
FLAGS = ["-std=c++14", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{FOLDER}"]
PROGRAM = r"""
#include <cassert>
#include <cstdio>
#include "leaf_stream.h"

int main() {
  leaf::Chunk<3> chunk;
  assert(!chunk.Add(100) && !chunk.Add(-32768));
  assert(chunk.Add(5) && chunk.Add(6));  // full: the fourth is dropped
  assert(chunk.size() == 3 && chunk.samples()[2] == 5);
  float real[3];
  leaf::WriteWaveform(chunk.samples(), 3, 0.0f, real);
  assert(real[1] == -1.0f && real[0] == 100 / 32768.0f);
  int16_t numbers[3];
  leaf::WriteWaveform(chunk.samples(), 3, 1 / 32768.0f, numbers);
  assert(numbers[1] == -32768);
  chunk.Clear();
  assert(!chunk.Add(7) && chunk.size() == 1);

  int8_t state[2] = {1, 1};
  leaf::WriteZeros(2, 2, -128, state);
  assert(state[0] == -128 && state[1] == -128);
  leaf::WriteZeros(3, 12, 0, real);
  assert(real[2] == 0.0f);

  const float half = 0.5f;
  assert(leaf::Probability(&half, 0, 1, 4, 0.0f, 0) == 0.5f);
  const int8_t byte = 0;
  assert(leaf::Probability(&byte, 0, 1, 1, 1 / 256.0f, -128) == 0.5f);
  const int16_t word = 0;
  assert(leaf::Probability(&word, 0, 1, 2, 1 / 65536.0f, -32768) == 0.5f);

  const float thresholds[] = {0.9f, 2.0f, 0.0f};  // the second is never answered
  leaf::Decision<3> decision(3, thresholds, 0.6f, 0.5f, 2);
  const float first[] = {0.8f, 0.1f, 0.1f}, second[] = {0.0f, 1.0f, 0.0f};
  const float third[] = {0.0f, 0.0f, 1.0f};
  assert(decision.Update(first) == -1);  // below its own
  assert(decision.Update(second) == -1 && decision.average(1) == 0.55f);
  assert(decision.Update(third) == -1);  // 0.525
  assert(decision.Update(third) == 2);   // 0.7625
  assert(decision.Update(third) == -1);  // told already
  assert(decision.Update(third) == 2);
  std::puts("all right");
}
"""
# As much of TFLite Micro as the program names.
STUBS = {
    "micro_interpreter.h": """
#pragma once
#include <cstddef>
#include <cstdint>
enum TfLiteStatus { kTfLiteOk, kTfLiteError };
struct TfLiteTensor { union { char *raw; } data; };
namespace tflite {
struct Model {};
struct MicroInterpreter {
  template <typename Resolver>
  MicroInterpreter(const Model *, const Resolver &, uint8_t *, size_t);
  TfLiteStatus AllocateTensors();
  TfLiteStatus Invoke();
  TfLiteTensor *input(size_t);
  TfLiteTensor *output(size_t);
};
}
""",
    "micro_mutable_op_resolver.h": """
#pragma once
namespace tflite {
template <unsigned n> struct MicroMutableOpResolver { TfLiteStatus AddConv2D(); };
}
""",
    "schema_generated.h": """
#pragma once
namespace tflite { const Model *GetModel(const void *); }
""",
}
# What micro.h says of that model.
HEADER = """
#define LEAF_MICRO_SAMPLE_RATE 8000
#define LEAF_MICRO_CHUNK_SAMPLES 400
#define LEAF_MICRO_WINDOW_SAMPLES 4000
#define LEAF_MICRO_ARENA_BYTES 1024
#define LEAF_MICRO_STATES_BYTES 2000
#define LEAF_MICRO_N_STATES 1
#define LEAF_MICRO_N_HEADS 1
#define LEAF_MICRO_N_LABELS 2
#define LEAF_MICRO_N_OPERATORS 1
"""


@pytest.fixture(scope="module")
def compiler():
    """A C++ compiler."""
    found = shutil.which("c++") or shutil.which("g++")
    if found is None:
        pytest.skip("needs a C++ compiler, and finds no c++")
    return found


def test_samples_states_and_decisions(compiler, tmp_path):
    source, program = tmp_path / "stream.cc", tmp_path / "stream"
    source.write_text(PROGRAM)
    flags = [flag for flag in FLAGS if flag != "-fsyntax-only"]
    subprocess.run([compiler, *flags, source, "-o", program], check=True)
    done = subprocess.run([program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("all right\n", "")


def test_the_program_around_tflite_micro_compiles(compiler, tmp_path):
    from export.contract.heads import Head
    from export.tflite_format.building import Values
    from export.tflite_format.ends import End
    from export.tflite_format.stream_facts import StreamFacts
    from export.writers.micro.c_source import MicroModel, write_c

    facts = StreamFacts(8000, 400, 80, 3, 35.0, 50, 4000, {"": "softmax"}, True)
    waveform = End("waveform", (1, 400), Values("float32"))
    state = End("state_features", (1, 50, 40), Values("int8", 0.5, -128))
    answer = End("probabilities", (1, 2), Values("float32"))
    model = MicroModel(
        content=bytes(range(64)),
        facts=facts,
        heads=(Head("", ("no", 'a "yes"?'), "softmax"),),
        inputs=(waveform, state),
        outputs=(answer, state),
        operators=["AddConv2D"],
        arena_bytes=1024,
        made_by="leaf_tf 1.0",
    )
    write_c(model, tmp_path / "micro.tflite")
    header = (tmp_path / "micro.h").read_text()
    for line in HEADER.split("\n")[1:]:
        assert line in header
    stubs = tmp_path / "tensorflow" / "lite" / "micro"
    schema = tmp_path / "tensorflow" / "lite" / "schema"
    for name, text in STUBS.items():
        folder = schema if name.startswith("schema") else stubs
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    flags = [*FLAGS, f"-I{tmp_path}"]
    subprocess.run([compiler, *flags, FOLDER / "main.cc"], check=True)
    subprocess.run([compiler, *flags, "-x", "c++", tmp_path / "micro.c"], check=True)
