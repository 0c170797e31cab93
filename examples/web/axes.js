// What is written along the picture: seconds below it, Hz beside it.

import { make } from "./elements.js";

const STEPS = [
  ...[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30],
  ...[60, 120, 300, 600, 900, 1800, 3600],
]; // seconds between two times that are written
const TIME_PIXELS = 56; // that a time takes, at least
const FREQUENCIES = 5; // that are written

/**
 * @param {HTMLElement} place
 * @param {[number, string][]} times Where, from 0 to 1, and what.
 */
export function showTimes(place, times) {
  place.replaceChildren();
  for (const [where, text] of times) {
    const label = make("span", "", place);
    label.textContent = text;
    label.style.left = `${100 * where}%`;
    label.classList.toggle("is-first", where < 0.02);
    label.classList.toggle("is-last", where > 0.95);
  }
}

/**
 * @param {number} from What is shown, in seconds.
 * @param {number} to
 * @param {number} pixels Width of the axis.
 * @returns {[number, string][]} Round times in it, for `showTimes`.
 */
export function roundTimes(from, to, pixels) {
  const least = ((to - from) * TIME_PIXELS) / Math.max(pixels, 1);
  const step = STEPS.find((each) => each >= least) ?? to - from;
  const first = Math.ceil(from / step - 1e-9);
  const count = Math.floor(to / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => {
    const time = Number(((first + i) * step).toFixed(2));
    const digits = Number.isInteger(step) ? 0 : 1;
    const text = to > 60 ? clock(time, digits) : `${time} s`;
    return [(time - from) / (to - from), text];
  });
}

/** Writes the center frequencies of some filters beside their rows of the picture. */
export function showFrequencies(place, centers) {
  const last = centers.length - 1;
  const many = Math.min(FREQUENCIES, centers.length);
  for (let i = 0; i < many; i++) {
    const filter = Math.round((i * last) / Math.max(many - 1, 1));
    const label = make("span", "", place);
    label.textContent = centers[filter].toFixed(0);
    label.style.top = `${100 * (1 - (filter + 0.5) / centers.length)}%`;
  }
}

/** 75.25 seconds as 1:15.25, with two digits; 1:15 without. */
export function clock(seconds, digits = 0) {
  const units = 10 ** digits;
  const whole = Math.round(seconds * units);
  const rest = ((whole % (60 * units)) / units).toFixed(digits);
  const padded = rest.padStart(digits ? 3 + digits : 2, "0");
  const minutes = Math.floor(whole / units / 60);
  const hours = Math.floor(minutes / 60);
  if (!hours) return `${minutes}:${padded}`;
  return `${hours}:${String(minutes % 60).padStart(2, "0")}:${padded}`;
}
