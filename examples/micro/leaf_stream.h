// Everything around the model that isn't the model: samples into chunks, states from one
// run to the next, probabilities into decisions. Plain C++14, no TensorFlow.
#ifndef LEAF_STREAM_H
#define LEAF_STREAM_H

#include <cmath>
#include <cstdint>
#include <cstring>

namespace leaf {

// Collects samples, one by one, until a chunk is full.
template <int kSamples>
class Chunk {
 public:
  // Adds a sample of 16 bits; true when the chunk is full, until `Clear`.
  bool Add(int16_t sample) {
    if (size_ < kSamples) samples_[size_++] = sample;
    return size_ == kSamples;
  }
  void Clear() { size_ = 0; }
  int size() const { return size_; }
  const int16_t *samples() const { return samples_; }

 private:
  int16_t samples_[kSamples];
  int size_ = 0;
};

// Writes a chunk as the model takes it. `scale` of its `leaf_tensor`: 0 for float32 in
// [-1, 1], else int16.
inline void WriteWaveform(const int16_t *samples, int count, float scale, void *input) {
  if (scale == 0.0f) {
    float *numbers = static_cast<float *>(input);
    for (int i = 0; i < count; ++i) numbers[i] = samples[i] / 32768.0f;
    return;
  }
  std::memcpy(input, samples, count * sizeof(int16_t));
}

// Writes a state of zeros.
inline void WriteZeros(int count, int bytes, int32_t zero_point, void *state) {
  if (bytes == count) {
    std::memset(state, static_cast<int8_t>(zero_point), count);
    return;
  }
  // int16 and float32 have a zero point of 0.
  std::memset(state, 0, bytes);
}

// The probability at an index of an output of `count` numbers.
inline float Probability(const void *output, int index, int count, int bytes, float scale,
                         int32_t zero_point) {
  if (scale == 0.0f) return static_cast<const float *>(output)[index];
  const int32_t number = bytes == count ? static_cast<const int8_t *>(output)[index]
                                        : static_cast<const int16_t *>(output)[index];
  return scale * static_cast<float>(number - zero_point);
}

// Averages the probabilities of a head over time, and tells a label once when it has
// reached its threshold.
template <int kLabels>
class Decision {
 public:
  // thresholds: of each label; where one is 0, `least` in its place.
  // smoothing: how much of the average before stays, in [0, 1).
  // quiet: runs after a decision in which the same label isn't told again.
  Decision(int n_labels, const float *thresholds, float least, float smoothing, int quiet)
      : n_labels_(n_labels),
        thresholds_(thresholds),
        least_(least),
        smoothing_(smoothing),
        quiet_(quiet) {
    for (int i = 0; i < kLabels; ++i) average_[i] = 0.0f, wait_[i] = 0;
  }

  // The label that is told now, or -1. Probabilities are those of one run of the model.
  int Update(const float *probabilities) {
    const float fresh = is_started_ ? 1.0f - smoothing_ : 1.0f;
    is_started_ = true;
    int best = -1;
    for (int i = 0; i < n_labels_; ++i) {
      average_[i] += fresh * (probabilities[i] - average_[i]);
      if (best < 0 || average_[i] > average_[best]) best = i;
      if (wait_[i] > 0) --wait_[i];
    }
    const float level = thresholds_[best] > 0.0f ? thresholds_[best] : least_;
    if (!(average_[best] >= level) || wait_[best] > 0) return -1;
    wait_[best] = quiet_;
    return best;
  }

  float average(int label) const { return average_[label]; }

 private:
  int n_labels_;
  const float *thresholds_;
  float least_, smoothing_;
  int quiet_;
  float average_[kLabels];
  int wait_[kLabels];
  bool is_started_ = false;
};

}  // namespace leaf

#endif  // LEAF_STREAM_H
