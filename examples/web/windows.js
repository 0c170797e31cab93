// How a whole clip is heard by a model of a fixed window: the same numbers as
// `python -m export predict`, leaf_files/windows.py and export/contract/averaging.py.

/** The smallest normal float32: an underflow to 0 must not become -Infinity. */
const TINY = 2 ** -126;

/**
 * Cuts a clip into as few full windows as cover it, their starts evenly spread.
 * A clip not longer than the window gives one window, centred between zeros.
 *
 * @param {Float32Array} waveform At least one sample.
 * @param {number} windowSamples Length of a window.
 * @returns {{start: number, samples: Float32Array}[]} `start` is the window's first
 *   sample in the clip; negative where zeros were put before it.
 */
export function cutWindows(waveform, windowSamples) {
  const spare = waveform.length - windowSamples;
  if (spare <= 0) {
    const left = Math.floor(-spare / 2);
    const samples = new Float32Array(windowSamples);
    samples.set(waveform, left);
    return [{ start: -left, samples }];
  }
  const count = Math.ceil(waveform.length / windowSamples);
  return Array.from({ length: count }, (_, index) => {
    const start =
      index === count - 1 ? spare : roundHalfToEven(index * (spare / (count - 1)));
    return { start, samples: waveform.subarray(start, start + windowSamples) };
  });
}

/**
 * The probabilities of a clip, at the mean of its windows' logits.
 *
 * @param {ArrayLike<number>[]} windowProbabilities One list of the classes' a window.
 * @param {string} activation "softmax" or "sigmoid", the model's last step.
 * @returns {Float64Array} One probability per class.
 */
export function clipProbabilities(windowProbabilities, activation) {
  const logit =
    activation === "sigmoid"
      ? (p) => Math.log(Math.max(p, TINY)) - Math.log(Math.max(1 - p, TINY))
      : (p) => Math.log(Math.max(p, TINY));
  const means = new Float64Array(windowProbabilities[0].length);
  for (const probabilities of windowProbabilities) {
    probabilities.forEach((p, i) => {
      means[i] += logit(p) / windowProbabilities.length;
    });
  }
  if (activation === "sigmoid") {
    return means.map((mean) => 1 / (1 + Math.exp(-mean)));
  }
  const highest = Math.max(...means);
  const odds = means.map((mean) => Math.exp(mean - highest));
  const sum = odds.reduce((total, value) => total + value);
  return odds.map((value) => value / sum);
}

/** As NumPy rounds: 0.5 to 0, 1.5 and 2.5 to 2. */
export function roundHalfToEven(value) {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
