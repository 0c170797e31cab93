// From the probabilities of overlapping windows to events with a start and an end: the
// same numbers as `python -m export detect`, by the same rules as the EventFinder and
// the Settings of the package `export`.

import { NONE_OF_THESE, percent } from "./decisions.js";
import { roundHalfToEven } from "./windows.js";

// What `detect` goes by where nothing else is said.
const OVERLAP = 0.75; // share of a window that the next one hears as well
const THRESHOLD = 0.5; // of labels without one of their own
const RELEASE = 0.7; // share of the threshold down to which an event goes on
const NEEDED_SECONDS = 0.1; // of a sound, that a window must hold to give its label

/**
 * @typedef {object} Grid Places of windows: window k begins at sample k * hopSamples.
 * @property {number} windowSamples
 * @property {number} hopSamples
 */

/**
 * @typedef {object} Rules
 * @property {number[]} levels From which each label is an event; Infinity for never.
 * @property {number[]} releases Down to which an event of each label reaches.
 * @property {number} [smoothing] Windows, odd, over which scores are averaged.
 * @property {number} [mergeSamples] Events of a label that are so near are one.
 * @property {number} [leastSamples] Shorter events are none.
 * @property {number} [leadSamples] An event begins so much after the middle of the
 *   first window of it, for a window gives a label as soon as its end holds the sound.
 * @property {number} [tailSamples] It ends so much before that of the last.
 * @property {boolean} [oneLabel] Its label must be the likeliest somewhere in it.
 */

/** @typedef {{start: number, end: number, label: number, score: number}} Event */

/** @returns {Grid} The windows that `detect` hears. */
export function gridOf(windowSamples) {
  const hop = roundHalfToEven((1 - OVERLAP) * windowSamples);
  return { windowSamples, hopSamples: Math.max(1, hop) };
}

/**
 * Cuts a recording at a grid; the last window reaches to its end or beyond, to zeros.
 *
 * @param {Float32Array} waveform At least one sample.
 * @param {Grid} grid
 * @returns {{count: number, window: (index: number) => Float32Array}}
 */
export function cutGrid(waveform, { windowSamples, hopSamples }) {
  const rest = Math.max(0, waveform.length - windowSamples);
  const before = Math.floor(Math.max(0, windowSamples - waveform.length) / 2);
  return {
    count: 1 + Math.ceil(rest / hopSamples),
    window(index) {
      const start = index * hopSamples;
      const samples = waveform.subarray(start, start + windowSamples);
      if (samples.length === windowSamples) return samples;
      const padded = new Float32Array(windowSamples);
      padded.set(samples, before);
      return padded;
    },
  };
}

/** @returns {number[]} The score from which each label of a head is an event. */
export function levelsOf({ labels, decisions }) {
  const least = decisions?.none_below || THRESHOLD;
  return labels.map((label) =>
    decisions?.background.includes(label)
      ? Infinity
      : (decisions?.thresholds[label] ?? least),
  );
}

/**
 * @param {import("./artifact.js").Head} head
 * @param {Grid} grid
 * @param {number} sampleRate The model's, in Hz.
 * @returns {Rules} Those of `detect` without options.
 */
export function rulesOf(head, { windowSamples }, sampleRate) {
  const levels = levelsOf(head);
  const half = Math.floor(windowSamples / 2);
  const reach = (seconds) =>
    Math.max(0, half - roundHalfToEven(seconds * sampleRate));
  return {
    levels,
    releases: levels.map((level) => RELEASE * level),
    leadSamples: reach(NEEDED_SECONDS),
    tailSamples: reach(2 * NEEDED_SECONDS),
    oneLabel: head.activation !== "sigmoid",
  };
}

/**
 * @param {import("./artifact.js").Head} head
 * @returns {string} What is an event, for people.
 */
export function explainedEvents(head) {
  const finite = levelsOf(head).filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const [from, until] =
    low === high
      ? [percent(low), `it falls below ${percent(RELEASE * low)}`]
      : ["its threshold", `it falls below ${percent(RELEASE)} of that`];
  const name = head.name && `${head.name}: `;
  return `${name}A bar is a label that reaches ${from}, until ${until}; else ${NONE_OF_THESE}.`;
}

/** Finds events in the scores of windows, window by window. */
export class EventFinder {
  #grid;
  #rules;
  #smoother;
  #count = 0; // windows so far
  #previous;
  #growing = new Map(); // label -> windows that reach its release, one after the other
  #waiting = new Map(); // label -> an event that a later one may be merged with

  /**
   * @param {Grid} grid
   * @param {Rules} rules
   */
  constructor(grid, rules) {
    const none = { mergeSamples: 0, leastSamples: 0, leadSamples: 0, tailSamples: 0 };
    this.#grid = grid;
    this.#rules = { ...none, smoothing: 1, ...rules };
    this.#smoother = new Smoother(this.#rules.smoothing);
    this.#previous = rules.levels.map(() => 0);
  }

  /**
   * @param {ArrayLike<number>} scores Of the next window; NaN counts as 0.
   * @returns {Event[]} Those that are complete now, in samples.
   */
  hear(scores) {
    const numbers = Array.from(scores, (score) => (Number.isNaN(score) ? 0 : score));
    return this.#smoother.hear(numbers).flatMap((row) => this.#take(row));
  }

  /**
   * @param {number} samples Length of the recording.
   * @returns {Event[]} Those that its end completes.
   */
  end(samples) {
    const found = this.#smoother.end().flatMap((row) => this.#take(row));
    for (const [label, stretch] of this.#growing) {
      found.push(...this.#joined(label, stretch, samples));
    }
    for (const event of this.#waiting.values()) {
      const end = Math.min(event.end, samples);
      found.push(...this.#longEnough({ ...event, end }));
    }
    return found;
  }

  #take(scores) {
    const { releases, tailSamples } = this.#rules;
    const index = this.#count++;
    const reached = scores.map((score, label) => score >= releases[label]);
    this.#grow(index, scores, reached);
    const found = [];
    for (const [label, stretch] of this.#growing) {
      if (reached[label]) continue;
      const end = this.#crossing(label, index, scores) - tailSamples;
      this.#growing.delete(label);
      found.push(...this.#joined(label, stretch, end));
    }
    found.push(...this.#settled(index));
    this.#previous = scores;
    return found;
  }

  /** Adds a window to the stretches of the labels whose release it reaches. */
  #grow(index, scores, reached) {
    const { levels, leadSamples, oneLabel } = this.#rules;
    const top = Math.max(...scores);
    reached.forEach((isReached, label) => {
      if (!isReached) return;
      if (!this.#growing.has(label)) {
        const start = index ? this.#crossing(label, index, scores) + leadSamples : 0;
        this.#growing.set(label, { start, score: 0, isEvent: false });
      }
      const stretch = this.#growing.get(label);
      stretch.score = Math.max(stretch.score, scores[label]);
      stretch.isEvent ||= scores[label] >= levels[label] && (!oneLabel || scores[label] === top);
    });
  }

  /** The sample at which the release is crossed before the middle of a window. */
  #crossing(label, index, scores) {
    const [before, after] = [this.#previous[label], scores[label]];
    const share = (this.#rules.releases[label] - before) / (after - before);
    return this.#middle(index - 1) + roundHalfToEven(share * this.#grid.hopSamples);
  }

  #middle(index) {
    return index * this.#grid.hopSamples + Math.floor(this.#grid.windowSamples / 2);
  }

  /** The event before a stretch that ends, unless the two are one. */
  #joined(label, stretch, end) {
    if (!stretch.isEvent) return [];
    let { start } = stretch;
    if (end < start) start = end = Math.floor((start + end) / 2); // lead and tail meet
    const event = { start, end, label, score: stretch.score };
    const earlier = this.#waiting.get(label);
    const isOne = earlier && start - earlier.end <= this.#rules.mergeSamples;
    if (isOne) {
      event.start = earlier.start;
      event.score = Math.max(earlier.score, event.score);
    }
    this.#waiting.set(label, event);
    return earlier && !isOne ? this.#longEnough(earlier) : [];
  }

  /** The events that nothing that comes can be merged with. */
  #settled(index) {
    const found = [];
    for (const [label, event] of this.#waiting) {
      const next = this.#growing.get(label)?.start ?? this.#middle(index);
      if (next - event.end > this.#rules.mergeSamples) {
        this.#waiting.delete(label);
        found.push(...this.#longEnough(event));
      }
    }
    return found;
  }

  #longEnough(event) {
    return event.end - event.start >= this.#rules.leastSamples ? [event] : [];
  }
}

/** Averages the scores of each window and its neighbours, half of them to come. */
class Smoother {
  #half;
  #recent = [];
  #heard = 0;

  constructor(windows) {
    this.#half = Math.floor(windows / 2);
  }

  hear(scores) {
    this.#recent.push(scores);
    if (this.#recent.length > 2 * this.#half + 1) this.#recent.shift();
    this.#heard++;
    return this.#heard > this.#half ? [this.#mean()] : [];
  }

  /** The averages that are left: around the last windows there are fewer. */
  end() {
    const means = [];
    for (let left = Math.min(this.#half, this.#heard); left > 0; left--) {
      const before = this.#heard - left - this.#half;
      while (this.#heard - this.#recent.length < before) this.#recent.shift();
      means.push(this.#mean());
    }
    return means;
  }

  #mean() {
    const sums = this.#recent.reduce((sum, row) => sum.map((s, i) => s + row[i]));
    return sums.map((sum) => sum / this.#recent.length);
  }
}
