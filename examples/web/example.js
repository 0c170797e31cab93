// A recording of the page's own, for visitors who have none: spoken words.

import { CLIP_SAMPLES, drawSpeaker, SAMPLE_RATE, say, WORDS } from "./voice.js";

const GAP_SAMPLES = SAMPLE_RATE / 2; // of noise alone, after each word
const MOST_WORDS = 8;
const STRANGE_WORDS = 4; // of a model that knows none of them
const LEVEL = 0.5; // of the loudest sample of a word; full scale is 1
const NOISE = 0.004;

/**
 * Words that a model knows, each in a second of its own, by one voice in a little noise.
 *
 * @param {string[]} labels The model's.
 * @param {number} seed Another one gives another voice, and another order.
 * @returns {{words: string[], known: boolean, file: File}} The words in their order,
 *   whether they are among the labels, and a WAV file.
 */
export function speak(labels, seed) {
  const random = randomOf(seed);
  const ours = Object.keys(WORDS).filter((word) => labels.includes(word));
  const known = ours.length > 0;
  const words = shuffled(known ? ours : Object.keys(WORDS), random).slice(
    0,
    known ? MOST_WORDS : STRANGE_WORDS,
  );
  const speaker = drawSpeaker(random);
  const step = CLIP_SAMPLES + GAP_SAMPLES;
  const waveform = Float32Array.from(
    { length: GAP_SAMPLES + words.length * step },
    () => random.normal(0, NOISE),
  );
  words.forEach((word, n) => {
    const spoken = say(WORDS[word], speaker, random);
    const loudest = spoken.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    spoken.forEach((value, i) => {
      waveform[GAP_SAMPLES + n * step + i] += (LEVEL / loudest) * value;
    });
  });
  return { words, known, file: wavFile("example.wav", waveform, SAMPLE_RATE) };
}

function shuffled(list, random) {
  return list
    .map((value) => [random.uniform(0, 1), value])
    .sort(([a], [b]) => a - b)
    .map(([, value]) => value);
}

/** @returns {import("./voice.js").Random} The same numbers of the same seed. */
function randomOf(seed) {
  let state = seed >>> 0;
  const next = () => {
    // A counter, its bits well mixed.
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
  return {
    uniform: (low, high) => low + (high - low) * next(),
    normal(mean, deviation) {
      const radius = Math.sqrt(-2 * Math.log(1 - next()));
      return mean + deviation * radius * Math.cos(2 * Math.PI * next());
    },
  };
}

/** A WAV file of one channel and 16 bits. */
function wavFile(name, waveform, sampleRate) {
  const bytes = new DataView(new ArrayBuffer(44 + 2 * waveform.length));
  const text = (place, words) =>
    [...words].forEach((letter, i) => bytes.setUint8(place + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  bytes.setUint32(4, 36 + 2 * waveform.length, true);
  text(8, "WAVEfmt ");
  bytes.setUint32(16, 16, true);
  bytes.setUint16(20, 1, true); // PCM
  bytes.setUint16(22, 1, true); // channels
  bytes.setUint32(24, sampleRate, true);
  bytes.setUint32(28, 2 * sampleRate, true);
  bytes.setUint16(32, 2, true);
  bytes.setUint16(34, 16, true);
  text(36, "data");
  bytes.setUint32(40, 2 * waveform.length, true);
  waveform.forEach((sample, i) => {
    bytes.setInt16(44 + 2 * i, Math.max(-1, Math.min(1, sample)) * 32767, true);
  });
  return new File([bytes.buffer], name, { type: "audio/wav" });
}
