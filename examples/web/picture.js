// Draws features as a picture: time to the right, filters upwards, louder is brighter.

const DARK_TO_BRIGHT = [
  [12, 8, 38],
  [66, 10, 104],
  [147, 38, 103],
  [221, 81, 58],
  [252, 165, 10],
  [252, 255, 164],
];
const LEAST_COLUMNS = 600; // of what is longer, where the page shows it smaller
const RANK_SAMPLE = 20000; // values that are looked at to find the range

/**
 * Features on a canvas, one pixel a frame and filter, stretched by the style sheet.
 * Where there are more frames than pixels, neighbours share a column: the louder wins.
 */
export class Picture {
  #canvas;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
  }

  /**
   * @param {{values: Float32Array, frames: number, filters: number}} features
   * @param {number} [from] The first frame to draw.
   * @param {number} [to] The one after the last; colors are those of all.
   */
  draw({ values, frames, filters }, from = 0, to = frames) {
    const shown = this.#canvas.clientWidth * devicePixelRatio;
    const drawn = Math.max(to - from, 1);
    const perColumn = Math.ceil(drawn / Math.max(shown, LEAST_COLUMNS));
    const columns = Math.ceil(drawn / perColumn);
    const image = new ImageData(columns, filters);
    const color = colorsBetween(...range(values, filters));
    for (let column = 0; column < columns; column++) {
      for (let filter = 0; filter < filters; filter++) {
        let value = -Infinity;
        const first = from + column * perColumn;
        const last = Math.min(from + drawn, first + perColumn);
        for (let frame = first; frame < last; frame++) {
          value = Math.max(value, values[frame * filters + filter]);
        }
        const pixel = (filters - 1 - filter) * columns + column;
        image.data.set(color(value), 4 * pixel);
      }
    }
    this.#canvas.width = columns;
    this.#canvas.height = filters;
    this.#canvas.getContext("2d").putImageData(image, 0, 0);
  }
}

/** The last frames of features that keep coming. */
export class RollingFeatures {
  /**
   * @param {number} frames How many to keep.
   * @param {number} unsettled Frames at a window's end that the next one mends: their
   *   filters reach beyond it.
   */
  constructor(frames, unsettled) {
    this.frames = frames;
    this.filters = 0;
    this.unsettled = unsettled;
    this.values = null;
  }

  /**
   * @param {{values: Float32Array, frames: number, filters: number}} features Of the
   *   last window.
   * @param {number} newFrames How many came since the last call.
   */
  push(features, newFrames) {
    this.filters = features.filters;
    this.values ??= new Float32Array(this.frames * this.filters).fill(NaN);
    this.values.copyWithin(0, Math.min(newFrames, this.frames) * this.filters);
    const fresh = Math.min(newFrames + this.unsettled, features.frames, this.frames);
    this.values.set(
      features.values.subarray((features.frames - fresh) * this.filters),
      (this.frames - fresh) * this.filters,
    );
  }
}

/** [dark, bright]: nearly the lowest and the highest of the values. */
function range(values, filters) {
  let every = Math.ceil(values.length / RANK_SAMPLE);
  while (commonFactor(every, filters) > 1) every++; // so that each filter is looked at
  const looked = [];
  for (let i = 0; i < values.length; i += every) {
    if (Number.isFinite(values[i])) looked.push(values[i]);
  }
  const ranked = Float32Array.from(looked).sort();
  if (!ranked.length) return [0, 1];
  return [ranked[Math.floor(0.02 * ranked.length)], ranked[Math.floor(0.998 * ranked.length)]];
}

function commonFactor(a, b) {
  return b ? commonFactor(b, a % b) : a;
}

/** value -> [red, green, blue, opacity]; NaN, nothing heard yet, is the darkest. */
function colorsBetween(dark, bright) {
  const steps = DARK_TO_BRIGHT.length - 1;
  const scale = steps / Math.max(bright - dark, 1e-9);
  return (value) => {
    const place = Math.min(Math.max((value - dark) * scale || 0, 0), steps);
    const below = Math.min(Math.floor(place), steps - 1);
    const rest = place - below;
    const [from, to] = [DARK_TO_BRIGHT[below], DARK_TO_BRIGHT[below + 1]];
    return [...from.map((start, i) => start + rest * (to[i] - start)), 255];
  };
}
