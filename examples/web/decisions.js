// From a head's probabilities to decisions, as leaf_files/decisions.py does it.

/** What is answered where no label is decided on. */
export const NONE_OF_THESE = "(none of these)";

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
 * @param {import("./artifact.js").Head} head
 * @returns {number[]} The probability from which each label is decided on: 0 for
 *   always, Infinity for never.
 */
export function levels({ labels, activation, decisions }) {
  const least = decisions?.none_below || (activation === "softmax" ? 0 : 0.5);
  return labels.map((label) =>
    decisions?.background.includes(label)
      ? Infinity
      : (decisions?.thresholds[label] ?? least),
  );
}

/**
 * @param {ArrayLike<number>} probabilities Calibrated, one per label.
 * @param {import("./artifact.js").Head} head
 * @returns {string[]} The labels that are decided on; [] is none of these.
 */
export function decided(probabilities, head) {
  const one = head.activation === "softmax";
  const best = probabilities.indexOf(Math.max(...probabilities));
  const least = levels(head);
  return head.labels.filter(
    (_, i) => (!one || i === best) && probabilities[i] >= least[i],
  );
}

/**
 * @param {import("./artifact.js").Head} head
 * @returns {string} How its probabilities become decisions, for people.
 */
export function explained(head) {
  const { labels, activation, decisions } = head;
  const finite = levels(head).filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const isChosen = decisions?.none_below || Object.keys(decisions?.thresholds ?? {}).length;
  const which = activation === "softmax" ? "the likeliest label" : "each label";
  const from =
    low === high
      ? `from ${percent(low)} on`
      : `from its own threshold on, ${percent(low)} to ${percent(high)}`;
  const otherwise = `; else ${NONE_OF_THESE}`;
  const sentences = [
    high > 0
      ? `${capital(which)} ${from}${isChosen ? ", as chosen in training" : ""}${otherwise}.`
      : "Always the likeliest label: no threshold was chosen in training.",
  ];
  const background = labels.filter((label) => decisions?.background.includes(label));
  if (background.length) {
    sentences.push(`${background.join(", ")} counts as ${NONE_OF_THESE}.`);
  }
  const inModel = decisions?.chosen_by?.temperature_in_graph; // of export --calibrated
  const temperature = inModel ?? decisions?.temperature ?? 1;
  if (temperature !== 1) {
    sentences.push(`Calibrated by a temperature of ${temperature.toFixed(2)}.`);
  }
  return sentences.join(" ");
}

/** 0.625 as 62.5%. */
export function percent(share) {
  return `${Number((100 * share).toFixed(1))}%`;
}

function capital(words) {
  return words[0].toUpperCase() + words.slice(1);
}
