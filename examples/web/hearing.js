// What the model makes of a whole clip, and of the microphone as it goes.

import { clipProbabilities, cutWindows } from "./windows.js";

const HOP_SECONDS = 0.1; // between two answers on the microphone
const PAUSE_MS = 15; // between two looks at what the microphone heard
const BREATH_MS = 40; // of work on a clip, before the page may react again

/**
 * @typedef {object} Answer
 * @property {Float32Array} waveform What was heard, at the model's rate.
 * @property {ArrayLike<number>[]} probabilities Of each head.
 * @property {{values: Float32Array, frames: number, filters: number} | null} features
 *   values[frame * filters + filter]; null without a frontend.tflite.
 */

/**
 * The answer to a whole clip, as `python -m export predict` gives it.
 *
 * @param {import("./artifact.js").Artifact} artifact
 * @param {Float32Array} waveform At the model's rate.
 * @param {(done: number, all: number) => void} progress Called now and then.
 * @param {AbortSignal} signal Ends the work early.
 * @returns {Promise<Answer & {windows: number} | null>} null if ended early.
 */
export async function hearClip(artifact, waveform, progress, signal) {
  const windows = cutWindows(waveform, artifact.windowSamples);
  const probabilities = [];
  const features = [];
  let breathed = performance.now();
  for (const { samples } of windows) {
    probabilities.push(await artifact.probabilities(samples));
    features.push(await artifact.features(samples));
    if (performance.now() - breathed > BREATH_MS) {
      progress(probabilities.length, windows.length);
      await pause(0);
      breathed = performance.now();
    }
    if (signal.aborted) return null;
  }
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
  };
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
