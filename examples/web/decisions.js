// From a head's probabilities to decisions, as leaf_files/decisions.py does it.

const TINY = 2 ** -126; // the smallest normal float32

/**
 * @typedef {object} Decisions
 * @property {number} temperature The logits are divided by it.
 * @property {Object<string, number>} thresholds From which a label is decided on.
 * @property {number} none_below The same of labels without one; 0 decides always.
 * @property {string[]} background Labels that are never decided on.
 */

/**
 * @param {ArrayLike<number>} probabilities One per label.
 * @param {import("./artifact.js").Head} head
 * @returns {ArrayLike<number>} Those at logits divided by the temperature.
 */
export function calibrated(probabilities, head) {
  const temperature = head.decisions?.temperature ?? 1;
  if (temperature === 1) return probabilities;
  const logs = Array.from(probabilities, (p) => Math.log(Math.max(p, TINY)));
  if (head.activation === "sigmoid") {
    return logs.map((log, i) => {
      const odds = log - Math.log(Math.max(1 - probabilities[i], TINY));
      return 1 / (1 + Math.exp(-odds / temperature));
    });
  }
  const most = Math.max(...logs);
  const odds = logs.map((log) => Math.exp((log - most) / temperature));
  const sum = odds.reduce((a, b) => a + b);
  return odds.map((value) => value / sum);
}

/**
 * @param {ArrayLike<number>} probabilities Calibrated, one per label.
 * @param {import("./artifact.js").Head} head
 * @returns {string[]} The labels that are decided on; [] is none of these.
 */
export function decided(probabilities, head) {
  const { labels, activation, decisions } = head;
  const one = activation === "softmax";
  const least = decisions?.none_below || (one ? 0 : 0.5);
  const best = probabilities.indexOf(Math.max(...probabilities));
  return labels.filter(
    (label, i) =>
      (!one || i === best) &&
      !decisions?.background.includes(label) &&
      probabilities[i] >= (decisions?.thresholds[label] ?? least),
  );
}
