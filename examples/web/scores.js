// The labels of one head with their scores, as a list of bars.

import { decided } from "./decisions.js";

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
    this.#rows = head.labels.map((label) => makeRow(this.#list, label));
    this.#more = make("button", "more", section);
    this.#more.type = "button";
    this.#more.addEventListener("click", () => this.#toggle());
    this.clear();
  }

  clear() {
    this.#best.textContent = "";
    this.#list.hidden = true;
    this.#more.hidden = true;
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
    const best = probabilities.indexOf(Math.max(...probabilities));
    this.#rows.forEach((row, i) => {
      row.value.textContent = percent.format(probabilities[i]);
      row.bar.style.width = `${100 * probabilities[i]}%`;
      row.item.classList.toggle("is-best", i === best);
    });
    this.#order(places);
    this.#best.setAttribute("aria-live", live ? "off" : "polite");
    const labels = decided(probabilities, this.#head);
    this.#best.textContent = labels.join(", ") || "none of the labels";
    this.#best.classList.toggle("is-unsure", probabilities[best] < 0.5);
    this.#list.hidden = false;
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

function makeRow(list, label) {
  const item = make("li", "score", list);
  make("span", "label", item).textContent = label;
  const track = make("span", "track", item);
  track.setAttribute("aria-hidden", "true");
  const bar = make("span", "bar", track);
  return { item, bar, value: make("span", "value", item) };
}

function make(tag, className, parent) {
  const element = document.createElement(tag);
  element.className = className;
  parent.append(element);
  return element;
}
