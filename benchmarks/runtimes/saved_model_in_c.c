/* Answers windows, and times them, by the code of examples/c/classify.c.
 *
 *     saved_model_in_c SAVED_MODEL_DIR
 *
 * Takes int32 repeats, int32 samples and the samples as float32, as often as there are
 * any; gives double seconds a call, int32 classes and the probabilities as float32.
 */

#define _POSIX_C_SOURCE 199309L
#define main classify_main
#include "../../examples/c/classify.c"
#undef main

#include <time.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 2) fail("usage", "saved_model_in_c SAVED_MODEL_DIR");
  Model model = load(argv[1]);
  const char *name = "probabilities";
  int32_t asked[2]; /* repeats, samples */
  while (fread(asked, sizeof asked, 1, stdin) == 1) {
    int64_t shape[] = {1, asked[1]};
    size_t size = (size_t)asked[1] * sizeof(float);
    float *samples = malloc(size);
    if (!samples || fread(samples, size, 1, stdin) != 1) fail("input", "too short");
    TF_Tensor *answer = NULL;
    double started = now();
    for (int32_t i = 0; i < asked[0]; i++) {
      if (answer) TF_DeleteTensor(answer);
      TF_Tensor *waveform = TF_AllocateTensor(TF_FLOAT, shape, 2, size);
      memcpy(TF_TensorData(waveform), samples, size);
      run(&model, "serving_default", "waveform", waveform, &name, 1, &answer);
    }
    double seconds = (now() - started) / asked[0];
    int32_t classes = (int32_t)TF_Dim(answer, 1);
    fwrite(&seconds, sizeof seconds, 1, stdout);
    fwrite(&classes, sizeof classes, 1, stdout);
    fwrite(TF_TensorData(answer), sizeof(float), (size_t)classes, stdout);
    fflush(stdout);
    TF_DeleteTensor(answer);
    free(samples);
  }
  return 0;
}
