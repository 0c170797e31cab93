/* Labels a waveform with an exported SavedModel, by TensorFlow's C API alone.
 *
 *     classify SAVED_MODEL_DIR SAMPLE_RATE [HEAD] < WAVEFORM
 *
 * WAVEFORM: raw 32 bit floats of one channel, as ffmpeg writes them:
 *     ffmpeg -i clip.mp3 -ac 1 -ar 16000 -f f32le -
 * HEAD: of a model of several tasks, the one to answer.
 *
 * To build, with LIB the folder of TensorFlow (of its C package, or of the Python
 * package, whose libraries are libtensorflow_cc.so.2 and libtensorflow_framework.so.2):
 *     cc classify.c -I LIB/include -L LIB -l:libtensorflow_cc.so.2 \
 *         -l:libtensorflow_framework.so.2 -Wl,-rpath,LIB -o classify
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/tf_tstring.h"

static void fail(const char *what, const char *why) {
  fprintf(stderr, "classify: %s: %s\n", what, why);
  exit(1);
}

/* --- The names of a signature's tensors, out of the model's MetaGraphDef. ------- */

typedef struct {
  const uint8_t *data;
  size_t size;
} Bytes;

static uint64_t read_varint(Bytes *message) {
  uint64_t value = 0;
  for (int shift = 0; message->size && shift < 64; shift += 7) {
    uint8_t byte = *message->data++;
    message->size--;
    value |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) break;
  }
  return value;
}

/* Moves to the next field that has this number and a length; 0 at the end. */
static int next_field(Bytes *message, uint64_t number, Bytes *field) {
  while (message->size) {
    uint64_t key = read_varint(message);
    uint64_t size = (key & 7) == 1 ? 8 : (key & 7) == 5 ? 4 : 0;
    if ((key & 7) == 0) read_varint(message);
    if ((key & 7) == 2) size = read_varint(message);
    if (size > message->size) return 0;
    field->data = message->data;
    field->size = size;
    message->data += size;
    message->size -= size;
    if ((key & 7) == 2 && key >> 3 == number) return 1;
  }
  return 0;
}

/* The value of a key in a protobuf map, the field `number` of a message. */
static Bytes map_value(Bytes message, uint64_t number, const char *wanted) {
  Bytes entry, key, value = {NULL, 0};
  while (next_field(&message, number, &entry)) {
    Bytes rest = entry;
    if (next_field(&rest, 1, &key) && key.size == strlen(wanted) &&
        !memcmp(key.data, wanted, key.size)) {
      next_field(&entry, 2, &value);
      break;
    }
  }
  return value;
}

/* --- A model and a run of one of its signatures. ------------------------------- */

typedef struct {
  TF_Graph *graph;
  TF_Session *session;
  TF_Buffer *meta_graph;
} Model;

enum { SIGNATURES = 5, INPUTS = 1, OUTPUTS = 2 }; /* of MetaGraphDef, SignatureDef */

static TF_Output tensor(const Model *model, const char *signature, int direction,
                        const char *name) {
  Bytes meta_graph = {model->meta_graph->data, model->meta_graph->length};
  Bytes info = map_value(map_value(meta_graph, SIGNATURES, signature), direction, name);
  Bytes text;
  char operation[256] = "";
  if (next_field(&info, 1, &text) && text.size < sizeof operation)
    memcpy(operation, text.data, text.size);
  char *colon = strchr(operation, ':');
  TF_Output output = {NULL, colon ? atoi(colon + 1) : 0};
  if (colon) *colon = '\0';
  output.oper = TF_GraphOperationByName(model->graph, operation);
  if (!output.oper) {
    char why[160];
    snprintf(why, sizeof why, "has no %s; a model of several tasks wants a HEAD", name);
    fail(signature, why);
  }
  return output;
}

static void run(const Model *model, const char *signature, const char *input,
                TF_Tensor *value, const char **names, int n, TF_Tensor **answers) {
  TF_Output fed = tensor(model, signature, INPUTS, input), fetched[4];
  for (int i = 0; i < n; i++)
    fetched[i] = tensor(model, signature, OUTPUTS, names[i]);
  TF_Status *status = TF_NewStatus();
  TF_SessionRun(model->session, NULL, &fed, &value, 1, fetched, answers, n, NULL, 0,
                NULL, status);
  if (TF_GetCode(status) != TF_OK) fail(signature, TF_Message(status));
  TF_DeleteStatus(status);
  TF_DeleteTensor(value);
}

static Model load(const char *folder) {
  Model model = {TF_NewGraph(), NULL, TF_NewBuffer()};
  TF_SessionOptions *options = TF_NewSessionOptions();
  TF_Status *status = TF_NewStatus();
  const char *tags[] = {"serve"};
  model.session = TF_LoadSessionFromSavedModel(options, NULL, folder, tags, 1,
                                               model.graph, model.meta_graph, status);
  if (TF_GetCode(status) != TF_OK) fail(folder, TF_Message(status));
  TF_DeleteStatus(status);
  TF_DeleteSessionOptions(options);
  return model;
}

static int sample_rate(const Model *model) {
  TF_Tensor *question = TF_AllocateTensor(TF_STRING, NULL, 0, sizeof(TF_TString));
  TF_StringInit(TF_TensorData(question));
  const char *name = "sample_rate";
  TF_Tensor *answer;
  run(model, "about", "question", question, &name, 1, &answer);
  int rate = *(int32_t *)TF_TensorData(answer);
  TF_DeleteTensor(answer);
  return rate;
}

/* (1, samples), of all that is on standard input. */
static TF_Tensor *read_waveform(void) {
  size_t samples = 0, room = 1 << 16, got;
  float *read = malloc(room * sizeof *read);
  while (read && (got = fread(read + samples, sizeof *read, room - samples, stdin))) {
    samples += got;
    if (samples == room) read = realloc(read, (room *= 2) * sizeof *read);
  }
  if (!read) fail("standard input", "out of memory");
  int64_t shape[] = {1, (int64_t)samples};
  size_t size = samples * sizeof *read;
  TF_Tensor *waveform = TF_AllocateTensor(TF_FLOAT, shape, 2, size);
  memcpy(TF_TensorData(waveform), read, size);
  free(read);
  return waveform;
}

int main(int argc, char **argv) {
  if (argc < 3) fail("usage", "classify SAVED_MODEL_DIR SAMPLE_RATE [HEAD] < WAVEFORM");
  Model model = load(argv[1]);
  int rate = sample_rate(&model);
  char wants[64];
  snprintf(wants, sizeof wants, "the model takes a waveform of %d Hz", rate);
  if (atoi(argv[2]) != rate) fail(argv[2], wants);

  const char *head = argc > 3 ? argv[3] : "", *separator = argc > 3 ? "_" : "";
  char labels_name[128], probabilities_name[128];
  snprintf(labels_name, sizeof labels_name, "%s%stop_labels", head, separator);
  snprintf(probabilities_name, sizeof probabilities_name, "%s%stop_probabilities", head,
           separator);
  const char *names[] = {labels_name, probabilities_name};
  TF_Tensor *answers[2];
  run(&model, "serving_default", "waveform", read_waveform(), names, 2, answers);

  const TF_TString *labels = TF_TensorData(answers[0]);
  const float *probabilities = TF_TensorData(answers[1]);
  for (int64_t i = 0; i < TF_Dim(answers[1], 1); i++)
    printf("%.8f %.*s\n", probabilities[i], (int)TF_StringGetSize(&labels[i]),
           TF_StringGetDataPointer(&labels[i]));
  return 0;
}
