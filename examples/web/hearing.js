// What the model makes of a whole clip, and of the microphone as it goes.

import { cutGrid, EventFinder, gridOf, rulesOf } from "./events.js";
import { clipProbabilities, cutWindows } from "./windows.js";

const HOP_SECONDS = 0.1; // between two answers on the microphone
const PAUSE_MS = 15; // between two looks at what the microphone heard
const BREATH_MS = 40; // of work on a clip, before the page may react again
const FEW_WINDOWS = 2; // a clip of more has events

/**
 * @typedef {object} Answer
 * @property {Float32Array} waveform What was heard, at the model's rate.
 * @property {ArrayLike<number>[]} probabilities Of each head.
 * @property {{values: Float32Array, frames: number, filters: number} | null} features
 *   values[frame * filters + filter]; null without a frontend.tflite.
 */

/**
 * @typedef {object} FoundEvent
 * @property {number} start Seconds from the start of the recording.
 * @property {number} end
 * @property {string} head Its name.
 * @property {string} label
 * @property {number} score Its probability where that was highest.
 */

/**
 * @typedef {object} Course The answers along a recording.
 * @property {number} hop Seconds from a window to the next one.
 * @property {ArrayLike<number>[][]} scores Of each window, of each head.
 */

/**
 * The answer to a whole clip, as `python -m export predict` gives it; to a longer one
 * also the events, as `detect` gives them.
 *
 * @param {import("./artifact.js").Artifact} artifact
 * @param {Float32Array} waveform At the model's rate.
 * @param {(done: number, all: number) => void} progress Called now and then.
 * @param {AbortSignal} signal Ends the work early.
 * @returns {Promise<Answer & {windows: number, events: FoundEvent[] | null, course:
 *   Course | null} | null>} null if ended early; a clip of few windows has no events.
 */
export async function hearClip(artifact, waveform, progress, signal) {
  const windows = cutWindows(waveform, artifact.windowSamples);
  const isLong = windows.length > FEW_WINDOWS;
  const grid = gridOf(artifact.windowSamples);
  const cut = cutGrid(waveform, grid);
  const breathe = breather(windows.length + (isLong ? cut.count : 0), progress);
  const probabilities = [];
  const features = [];
  for (const { samples } of windows) {
    probabilities.push(await artifact.probabilities(samples));
    features.push(await artifact.features(samples));
    await breathe();
    if (signal.aborted) return null;
  }
  const finders = artifact.heads.map(
    (head) => new EventFinder(grid, rulesOf(head, grid, artifact.sampleRate)),
  );
  const found = finders.map(() => []);
  const scores = [];
  for (let index = 0; isLong && index < cut.count; index++) {
    const answers = await artifact.probabilities(cut.window(index));
    answers.forEach((answer, i) => found[i].push(...finders[i].hear(answer)));
    scores.push(answers);
    await breathe();
    if (signal.aborted) return null;
  }
  finders.forEach((finder, i) => found[i].push(...finder.end(waveform.length)));
  return {
    waveform,
    windows: windows.length,
    probabilities: artifact.heads.map((head, i) =>
      clipProbabilities(
        probabilities.map((heads) => heads[i]),
        head.activation,
      ),
    ),
    features: artifact.hasFeatures
      ? joinFeatures(artifact, waveform.length, windows, features)
      : null,
    events: isLong ? inSeconds(artifact, found) : null,
    course: isLong ? { hop: grid.hopSamples / artifact.sampleRate, scores } : null,
  };
}

/** Call the result after each of so many windows: the page reacts in between. */
function breather(all, progress) {
  let done = 0;
  let breathed = performance.now();
  return async () => {
    done++;
    if (performance.now() - breathed < BREATH_MS) return;
    progress(done, all);
    await pause(0);
    breathed = performance.now();
  };
}

/** The events of all heads, by their start. */
function inSeconds({ heads, sampleRate }, found) {
  return heads
    .flatMap(({ name, labels }, i) =>
      found[i].map((event) => ({
        start: event.start / sampleRate,
        end: event.end / sampleRate,
        head: name,
        label: labels[event.label],
        score: event.score,
      })),
    )
    .sort((a, b) => a.start - b.start || a.end - b.end);
}

/**
 * Answers to the last window that the microphone heard, until ended.
 *
 * @param {import("./artifact.js").Artifact} artifact
 * @param {import("./recording.js").Microphone} microphone
 * @param {(answer: Answer & {newFrames: number}) => void} show `newFrames` of the
 *   features are new since the last answer.
 * @param {AbortSignal} signal Ends it.
 */
export async function hearMicrophone(artifact, microphone, show, signal) {
  const { sampleRate, windowSamples } = artifact;
  let hop = Math.round(HOP_SECONDS * sampleRate);
  let end = windowSamples;
  let shownUntil = 0;
  while (!signal.aborted) {
    if (microphone.heard < end) {
      await pause(PAUSE_MS);
      continue;
    }
    // The newest, where the model is slower than the sound.
    end += hop * Math.floor((microphone.heard - end) / hop);
    const waveform = await microphone.part(end, windowSamples);
    const probabilities = await artifact.probabilities(waveform);
    const features = await artifact.features(waveform);
    if (signal.aborted) return;
    let newFrames = 0;
    if (features) {
      const step = windowSamples / features.frames;
      hop = Math.max(1, Math.round((HOP_SECONDS * sampleRate) / step)) * step;
      newFrames = Math.round((end - shownUntil) / step);
    }
    show({ waveform, probabilities, features, newFrames });
    shownUntil = end;
    end += hop;
    await pause(0);
  }
}

/**
 * The features of the windows, side by side in time. Where windows overlap, each
 * frame is of the window whose middle is nearest.
 */
function joinFeatures(artifact, samples, windows, features) {
  const { frames: framesPerWindow, filters } = features[0];
  const step = artifact.windowSamples / framesPerWindow;
  const frames = Math.max(1, Math.round(samples / step));
  const values = new Float32Array(frames * filters);
  let nearest = 0;
  for (let frame = 0; frame < frames; frame++) {
    const time = (frame + 0.5) * step;
    const distance = (i) =>
      Math.abs(time - windows[i].start - artifact.windowSamples / 2);
    while (nearest + 1 < windows.length && distance(nearest + 1) < distance(nearest)) {
      nearest++;
    }
    const inWindow = Math.round((time - windows[nearest].start) / step - 0.5);
    const from = Math.min(Math.max(inWindow, 0), framesPerWindow - 1) * filters;
    values.set(features[nearest].values.subarray(from, from + filters), frame * filters);
  }
  return { values, frames, filters };
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
