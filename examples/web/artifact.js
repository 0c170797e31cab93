// Opens an artifact folder of `python -m export` with LiteRT.js.

import { calibrated } from "./decisions.js";
import { PageError } from "./errors.js";

const LITERT = "./node_modules/@litertjs/core/wasm/";
const SERVE = "python examples/web/serve.py ARTIFACT_DIR";

/**
 * @typedef {object} Head What the model answers to one task.
 * @property {string} name "" if the model has one head.
 * @property {string} output The name of its probabilities in the model.
 * @property {string[]} labels One per class.
 * @property {string} activation "softmax" (one label) or "sigmoid" (any number).
 * @property {import("./decisions.js").Decisions} [decisions] How its probabilities
 *   become decisions, where they need more than the model.
 */

/** An artifact folder that is ready to run, one window at a time. */
export class Artifact {
  #litert;
  #model;
  #frontend;

  constructor(litert, report, file, model, frontend) {
    this.#litert = litert;
    this.#model = model;
    this.#frontend = frontend;
    this.name = report.source;
    this.file = file;
    this.files = modelFiles(report);
    this.sampleRate = report.sample_rate;
    this.windowSamples = report.window_samples;
    /** @type {Head[]} */
    this.heads = report.heads;
    this.hasFeatures = frontend !== null;
    /** @type {number[] | null} Hz of each filter, where the frontend has such. */
    this.centers = report.artifacts?.frontend?.center_freqs_hz ?? null;
    this.#check();
  }

  /**
   * @param {Float32Array} samples One window, scaled to [-1, 1].
   * @returns {Promise<ArrayLike<number>[]>} The calibrated probabilities of each head.
   */
  async probabilities(samples) {
    const outputs = await this.#run(this.#model, samples);
    return this.heads.map((head) =>
      calibrated(outputs[head.output].values, head),
    );
  }

  /**
   * What the learned frontend makes of one window.
   *
   * @param {Float32Array} samples One window.
   * @returns {Promise<{values: Float32Array, frames: number, filters: number}>}
   *   values[frame * filters + filter]; null without a frontend.tflite.
   */
  async features(samples) {
    if (!this.#frontend) return null;
    const { values, shape } = Object.values(
      await this.#run(this.#frontend, samples),
    )[0];
    return { values, frames: shape[1], filters: shape[2] };
  }

  async #run(model, samples) {
    const input = new this.#litert.Tensor(samples, [1, samples.length]);
    const outputs = await model.run({ [model.getInputDetails()[0].name]: input });
    input.delete();
    return Object.fromEntries(
      Object.entries(outputs).map(([name, tensor]) => {
        const result = {
          values: tensor.toTypedArray(),
          shape: [...tensor.type.layout.dimensions],
        };
        tensor.delete();
        return [name, result];
      }),
    );
  }

  /** @throws {PageError} The report is another model's. */
  #check() {
    const [, samples] = this.#model.getInputDetails()[0].shape;
    const classes = Object.fromEntries(
      this.#model.getOutputDetails().map(({ name, shape }) => [name, shape[1]]),
    );
    const fits = this.heads.every(
      (head) => classes[head.output] === head.labels.length,
    );
    if (samples !== this.windowSamples || !fits) {
      throw new PageError(
        `${this.file} and report.json are of different models. Export again, and ` +
          "serve the folder that python -m export wrote.",
      );
    }
  }
}

/**
 * Fetches and compiles what a folder holds.
 *
 * @param {string} folder Its address, relative to the page.
 * @param {string} file Which model of it, e.g. model_int8.tflite.
 * @returns {Promise<Artifact>}
 * @throws {PageError} Something is missing; the message says what, and what to do.
 */
export async function openArtifact(folder, file) {
  const litert = await loadLiteRt();
  const report = await readReport(folder);
  const bytes = await fetchBytes(`${folder}/${file}`);
  if (!bytes) throw missing(file, folder);
  const frontend = await fetchBytes(`${folder}/frontend.tflite`);
  return new Artifact(
    litert,
    report,
    file,
    await compile(litert, bytes, file),
    frontend && (await compile(litert, frontend, "frontend.tflite")),
  );
}

/** The models of a window in an export; a streaming one takes chunks instead. */
function modelFiles(report) {
  return Object.values(report.artifacts ?? {})
    .map(({ path }) => path)
    .filter((path) => /^model.*\.tflite$/.test(path) && !path.includes("streaming"));
}

async function loadLiteRt() {
  if (typeof WebAssembly !== "object") {
    throw new PageError(
      "This browser does not offer WebAssembly, on which the model runs. Use a " +
        "current browser, or turn off the mode that forbids it (such as Lockdown Mode).",
    );
  }
  try {
    const litert = await import("@litertjs/core");
    await litert.loadLiteRt(LITERT);
    return litert;
  } catch (error) {
    console.error(error);
    throw new PageError(
      "LiteRT.js, which runs the model, did not load. On the machine that serves " +
        "this page, run npm install in examples/web, then load the page again.",
    );
  }
}

async function readReport(folder) {
  const bytes = await fetchBytes(`${folder}/report.json`);
  if (!bytes) throw missing("report.json", folder);
  try {
    const report = JSON.parse(new TextDecoder().decode(bytes));
    if (report.sample_rate > 0 && report.window_samples > 0 && report.heads.length) {
      return report;
    }
  } catch {
    // Answered below.
  }
  throw new PageError(
    `report.json in ${folder}/ is not a report of python -m export. Export again.`,
  );
}

/** The file's bytes, or null where there is none. */
async function fetchBytes(address) {
  let response;
  try {
    response = await fetch(address);
  } catch {
    throw new PageError(
      `The server of this page does not answer. Start it (${SERVE}) and load the ` +
        "page again.",
    );
  }
  return response.ok ? new Uint8Array(await response.arrayBuffer()) : null;
}

async function compile(litert, bytes, name) {
  try {
    return await litert.loadAndCompile(bytes, { accelerator: "wasm" });
  } catch (error) {
    console.error(error);
    throw new PageError(
      `${name} is damaged, or has operators that LiteRT.js does not run. Export ` +
        "again, without custom operators.",
    );
  }
}

function missing(name, folder) {
  return new PageError(
    `There is no ${name} in ${folder}/. Export a model (python -m export RUN ` +
      `--output ARTIFACT_DIR) and serve it (${SERVE}).`,
  );
}
