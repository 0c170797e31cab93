// Hears a stream of samples by TFLite Micro: 16-bit mono on stdin, at the model's rate.
//
//   arecord -q -t raw -f S16_LE -c 1 -r 16000 | ./listen
//
// On a device, call `Hear` with each sample of its microphone in place of the loop below.
#include <cstdio>

#include "leaf_stream.h"
#ifdef LEAF_USE_INT8
#include "micro_int8.h"
#define MODEL(name) leaf_micro_int8_##name
#define NUMBER(name) LEAF_MICRO_INT8_##name
#define ADD_OPERATORS LEAF_MICRO_INT8_ADD_OPERATORS
#else
#include "micro.h"
#define MODEL(name) leaf_micro_##name
#define NUMBER(name) LEAF_MICRO_##name
#define ADD_OPERATORS LEAF_MICRO_ADD_OPERATORS
#endif

#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {

alignas(16) uint8_t arena[NUMBER(ARENA_BYTES)];
// Between runs the arena holds other things than the states.
uint8_t states[NUMBER(STATES_BYTES)];

leaf::Chunk<NUMBER(CHUNK_SAMPLES)> chunk;

void Reset() {
  chunk.Clear();
  uint8_t *place = states;
  for (const leaf_tensor &state : MODEL(states)) {
    leaf::WriteZeros(state.count, state.bytes, state.zero_point, place);
    place += state.bytes;
  }
}

// Runs the model on the chunk that is full; false where TFLite Micro fails.
bool Run(tflite::MicroInterpreter *interpreter) {
  const leaf_tensor &waveform = MODEL(waveform);
  leaf::WriteWaveform(chunk.samples(), chunk.size(), waveform.scale,
                      interpreter->input(0)->data.raw);
  uint8_t *place = states;
  for (int i = 0; i < NUMBER(N_STATES); ++i) {
    std::memcpy(interpreter->input(1 + i)->data.raw, place, MODEL(states)[i].bytes);
    place += MODEL(states)[i].bytes;
  }
  if (interpreter->Invoke() != kTfLiteOk) return false;
  place = states;
  for (int i = 0; i < NUMBER(N_STATES); ++i) {
    std::memcpy(place, interpreter->output(NUMBER(N_HEADS) + i)->data.raw,
                MODEL(states)[i].bytes);
    place += MODEL(states)[i].bytes;
  }
  chunk.Clear();
  return true;
}

}  // namespace

int main() {
  tflite::MicroMutableOpResolver<NUMBER(N_OPERATORS)> resolver;
  ADD_OPERATORS(resolver);
  tflite::MicroInterpreter interpreter(tflite::GetModel(MODEL(model)), resolver, arena,
                                       sizeof(arena));
  if (interpreter.AllocateTensors() != kTfLiteOk) {
    std::fprintf(stderr, "the model doesn't fit into %d bytes\n", NUMBER(ARENA_BYTES));
    return 1;
  }
  Reset();
  const leaf_head &head = MODEL(heads)[0];
  const leaf_tensor &answer = MODEL(probabilities)[0];
  // As `leaf-export listen`: half a second of averages, a window without a second time.
  const double seconds = double(NUMBER(CHUNK_SAMPLES)) / NUMBER(SAMPLE_RATE);
  const float smoothing = static_cast<float>(std::exp(-seconds / 0.5));
  const int quiet = NUMBER(WINDOW_SAMPLES) / NUMBER(CHUNK_SAMPLES);
  leaf::Decision<NUMBER(N_LABELS)> decision(head.n_labels, head.thresholds, 0.5f,
                                            smoothing, quiet);
  double heard = 0.0;
  unsigned char bytes[2];
  while (std::fread(bytes, 1, 2, stdin) == 2) {
    const auto sample = static_cast<int16_t>(bytes[0] | bytes[1] << 8);
    if (!chunk.Add(sample)) continue;
    if (!Run(&interpreter)) {
      std::fprintf(stderr, "TFLite Micro fails to run the model\n");
      return 1;
    }
    heard += seconds;
    float probabilities[NUMBER(N_LABELS)];
    for (int i = 0; i < head.n_labels; ++i) {
      probabilities[i] =
          leaf::Probability(interpreter.output(0)->data.raw, i, answer.count,
                            answer.bytes, answer.scale, answer.zero_point);
    }
    const int label = decision.Update(probabilities);
    if (label >= 0) {
      std::printf("%9.2f s  %s  %.4f\n", heard, head.labels[label],
                  decision.average(label));
      std::fflush(stdout);
    }
  }
  return 0;
}
