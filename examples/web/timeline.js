// Events of a recording as bars: a lane for each label that was found, below the picture
// and as long as it, and a list of all with their times.

import { clock } from "./axes.js";
import { NONE_OF_THESE, percent } from "./decisions.js";
import { make } from "./elements.js";

const MOST_LANES = 12; // the labels that are heard longest; the list has all
const MOST_ROWS = 500; // of the list
const HUES = [25, 250, 145, 320, 85, 200, 55, 285, 170, 0, 110, 225];

/** @typedef {import("./hearing.js").FoundEvent} FoundEvent */

export class Timeline {
  #lanes;
  #list;
  #play;
  #heads;
  #hues = new Map();
  #events = [];
  #bars = []; // {start, end, element}

  /**
   * @param {HTMLElement} lanes Where the lanes go.
   * @param {HTMLDetailsElement} list Where the list goes.
   * @param {(seconds: number) => void} play Called with the start of a chosen event.
   */
  constructor(lanes, list, play) {
    this.#lanes = lanes;
    this.#list = list;
    this.#play = play;
  }

  /** @param {import("./artifact.js").Head[]} heads The model's. */
  open(heads) {
    this.#heads = heads;
    for (const { name, labels } of heads) {
      labels.forEach((label, i) =>
        this.#hues.set(keyOf({ head: name, label }), HUES[i % HUES.length]),
      );
    }
  }

  clear() {
    this.#events = [];
    this.#bars = [];
    this.#lanes.replaceChildren();
    this.#list.replaceChildren();
    this.#list.open = false;
  }

  /**
   * @param {FoundEvent[]} events By their start.
   * @param {number} seconds Length of the recording.
   */
  show(events, seconds) {
    this.clear();
    this.#events = events;
    for (const head of this.#heads) this.#drawHead(head, seconds);
    this.#fillList();
    this.look(0, seconds);
  }

  /** Lays the bars out, so that the lanes reach from one time to another. */
  look(from, to) {
    for (const { start, end, element } of this.#bars) {
      element.hidden = end < from || start > to;
      if (element.hidden) continue;
      element.style.left = `${(100 * (start - from)) / (to - from)}%`;
      element.style.width = `${(100 * (end - start)) / (to - from)}%`;
    }
  }

  /** @returns {string} What is heard at a time, for people. */
  at(seconds) {
    const there = this.#events.filter(
      ({ start, end }) => start <= seconds && seconds < end,
    );
    return there.map((event) => `${nameOf(event)} ${percent(event.score)}`).join(", ");
  }

  #drawHead({ name, labels }, seconds) {
    const events = this.#events.filter(({ head }) => head === name);
    const lengths = new Map();
    for (const { start, end, label } of events) {
      lengths.set(label, (lengths.get(label) ?? 0) + end - start);
    }
    const longest = [...lengths.keys()].sort((a, b) => lengths.get(b) - lengths.get(a));
    const shown = longest.slice(0, MOST_LANES);
    if (name) make("h4", "lanes-head", this.#lanes).textContent = name;
    for (const label of labels.filter((label) => shown.includes(label))) {
      const lane = this.#lane(label);
      for (const event of events.filter((event) => event.label === label)) {
        const element = this.#bar(lane, event.start, event.end);
        element.style.setProperty("--hue", this.#hues.get(keyOf(event)));
      }
    }
    if (longest.length > shown.length) {
      make("p", "lanes-rest", this.#lanes).textContent =
        `and ${longest.length - shown.length} more labels, in the list`;
    }
    const lane = this.#lane(NONE_OF_THESE);
    lane.parentElement.classList.add("is-none");
    for (const [start, end] of gaps(events, seconds)) this.#bar(lane, start, end);
  }

  #bar(lane, start, end) {
    const element = make("span", "stretch", lane);
    this.#bars.push({ start, end, element });
    return element;
  }

  #lane(name) {
    const lane = make("div", "lane", this.#lanes);
    const label = make("span", "lane-name", lane);
    label.textContent = label.title = name;
    return make("div", "lane-track", lane);
  }

  #fillList() {
    const count = this.#events.length;
    const summary = make("summary", "", this.#list);
    summary.textContent = `${count} ${count === 1 ? "event" : "events"}`;
    const rows = make("ol", "events", this.#list);
    for (const event of this.#events.slice(0, MOST_ROWS)) {
      const row = make("button", "event", make("li", "", rows));
      row.type = "button";
      row.addEventListener("click", () => this.#play(event.start));
      make("span", "event-times", row).textContent =
        `${clock(event.start, 2)} – ${clock(event.end, 2)}`;
      const chip = make("span", "chip", row);
      chip.style.setProperty("--hue", this.#hues.get(keyOf(event)));
      make("span", "event-label", row).textContent = nameOf(event);
      make("span", "event-score", row).textContent = percent(event.score);
    }
    if (count > MOST_ROWS) {
      make("p", "empty-not", this.#list).textContent =
        `The first ${MOST_ROWS} of ${count}; python -m export detect writes all.`;
    }
  }
}

/**
 * @param {FoundEvent[]} events By their start.
 * @param {number} seconds Length of the recording.
 * @returns {[number, number][]} The stretches without any.
 */
export function gaps(events, seconds) {
  const found = [];
  let heard = 0;
  for (const { start, end } of events) {
    if (start > heard) found.push([heard, start]);
    heard = Math.max(heard, end);
  }
  if (heard < seconds) found.push([heard, seconds]);
  return found;
}

function nameOf({ head, label }) {
  return head ? `${head}: ${label}` : label;
}

function keyOf({ head, label }) {
  return JSON.stringify([head, label]);
}
