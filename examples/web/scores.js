// The labels of one head with their scores, as a list of bars.

import { decided, explained, levels, NONE_OF_THESE } from "./decisions.js";
import { make } from "./elements.js";

const FEW = 10; // labels that are shown at once; more are ranked, and cut here

const percent = new Intl.NumberFormat("en", {
  style: "percent",
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});

/** A head's answer: the best label in large letters, and a bar per label. */
export class Scores {
  #head;
  #best;
  #list;
  #rows;
  #more;
  #rule;
  #showAll = false;

  /**
   * @param {HTMLElement} place Where to put it.
   * @param {import("./artifact.js").Head} head
   */
  constructor(place, head) {
    this.#head = head;
    const section = make("section", "head", place);
    if (head.name) make("h3", "head-name", section).textContent = head.name;
    this.#best = make("p", "best", section);
    this.#list = make("ol", "scores", section);
    const least = levels(head);
    this.#rows = head.labels.map((label, i) => makeRow(this.#list, label, least[i]));
    this.#more = make("button", "more", section);
    this.#more.type = "button";
    this.#more.addEventListener("click", () => this.#toggle());
    this.#rule = make("p", "rule", section);
    this.#rule.textContent = explained(head);
    this.clear();
  }

  clear() {
    this.#best.textContent = "";
    this.#list.hidden = true;
    this.#more.hidden = true;
    this.#rule.hidden = true;
  }

  /**
   * @param {ArrayLike<number>} probabilities One per label.
   * @param {boolean} live Whether the next ones follow at once: few bars then keep
   *   their places, and nothing is read aloud.
   */
  show(probabilities, live) {
    const many = this.#rows.length > FEW;
    const places = [...this.#rows.keys()];
    if (many || !live) places.sort((a, b) => probabilities[b] - probabilities[a]);
    const labels = decided(probabilities, this.#head);
    this.#rows.forEach((row, i) => {
      row.value.textContent = percent.format(probabilities[i]);
      row.bar.style.width = `${100 * probabilities[i]}%`;
      row.item.classList.toggle("is-best", labels.includes(this.#head.labels[i]));
    });
    this.#order(places);
    this.#best.setAttribute("aria-live", live ? "off" : "polite");
    this.#best.textContent = labels.join(", ") || NONE_OF_THESE;
    this.#best.classList.toggle("is-none-of-these", !labels.length);
    const isUnsure = !labels.length || Math.max(...probabilities) < 0.5;
    this.#best.classList.toggle("is-unsure", isUnsure);
    this.#list.hidden = false;
    this.#rule.hidden = false;
    this.#more.hidden = !many;
    this.#cut();
  }

  /** Moves rows only where the order changed. */
  #order(places) {
    places.forEach((place, i) => {
      const { item } = this.#rows[place];
      if (this.#list.children[i] !== item) {
        this.#list.insertBefore(item, this.#list.children[i]);
      }
    });
  }

  #toggle() {
    this.#showAll = !this.#showAll;
    this.#cut();
  }

  #cut() {
    [...this.#list.children].forEach((item, i) => {
      item.hidden = !this.#showAll && i >= FEW;
    });
    this.#more.textContent = this.#showAll
      ? `Show the best ${FEW}`
      : `Show all ${this.#rows.length} labels`;
    this.#more.setAttribute("aria-expanded", this.#showAll);
  }
}

/** @param {number} least The probability from which the label is decided on. */
function makeRow(list, label, least) {
  const item = make("li", "score", list);
  make("span", "label", item).textContent = label;
  const track = make("span", "track", item);
  track.setAttribute("aria-hidden", "true");
  const bar = make("span", "bar", track);
  if (least > 0 && least < 1) {
    make("span", "threshold", track).style.left = `${100 * least}%`;
  }
  return { item, bar, value: make("span", "value", item) };
}
