// Speaks the words of the task `synthetic`: training/tasks/synthesis.py for a browser.
// The same numbers, where the same random numbers are drawn.

export const SAMPLE_RATE = 16000; // Hz
export const CLIP_SAMPLES = 16000;

const HOP = 128; // samples between frames
const FRAME = 2 * HOP;
const FFT = 512;
const FRAMES = CLIP_SAMPLES / HOP + 1;
const BINS = FFT / 2 + 1;
const HIGHER_FORMANTS = [4500, 5500, 6500]; // Hz, the same in each phone
const BANDWIDTHS = [60, 90, 140, 200, 300, 400, 500]; // of the formants, Hz

const QUIET = { voicing: 0, breath: 0, friction: 0, band: [4000, 2000], open: 1 };
const phone = (seconds, formants, rest = {}) => ({ ...QUIET, seconds, formants, ...rest });
const vowel = (...formants) => [phone(0.16, formants, { voicing: 1 })];
const voicedStop = (formants, band) => [
  phone(0.055, formants, { voicing: 0.25, open: 0 }),
  phone(0.02, formants, { voicing: 0.4, friction: 0.3, band }),
];
const unvoicedStop = (formants, band) => [
  phone(0.06, formants),
  phone(0.016, formants, { friction: 0.4, band }),
  phone(0.035, formants, { breath: 0.5 }),
];
const fricative = (formants, band) => [phone(0.12, formants, { friction: 0.3, band })];
const nasal = (...formants) => [phone(0.08, formants, { voicing: 0.4 })];

const PHONES = {
  a: vowel(760, 1250, 2500, 3500),
  i: vowel(300, 2250, 3000, 3700),
  o: vowel(480, 880, 2450, 3400),
  u: vowel(330, 800, 2300, 3350),
  b: voicedStop([250, 850, 2250, 3400], [900, 900]),
  d: voicedStop([250, 1750, 2750, 3500], [4300, 1500]),
  g: voicedStop([250, 1650, 1950, 3300], [1800, 500]),
  k: unvoicedStop([300, 1700, 2150, 3400], [2000, 600]),
  s: fricative([320, 1600, 2600, 3600], [6500, 1200]),
  sh: fricative([320, 1850, 2500, 3500], [4600, 1300]),
  m: nasal(270, 1000, 2200, 3300),
  n: nasal(270, 1650, 2600, 3400),
};

export const WORDS = {
  bida: ["b", "i", "d", "a"],
  dabi: ["d", "a", "b", "i"],
  kaso: ["k", "a", "s", "o"],
  kasho: ["k", "a", "sh", "o"],
  mogu: ["m", "o", "g", "u"],
  mobu: ["m", "o", "b", "u"],
  nai: ["n", "a", "i"],
  nia: ["n", "i", "a"],
};

/**
 * @typedef {object} Random
 * @property {(low: number, high: number) => number} uniform
 * @property {(mean: number, deviation: number) => number} normal
 */

/** @param {Random} random */
export function drawSpeaker(random) {
  const tract = random.uniform(0.86, 1.22);
  return {
    pitch: 115 * (tract / 0.95) ** 3 * 2 ** random.normal(0, 0.25), // Hz
    tract, // a factor on all resonances
    tempo: random.uniform(0.8, 1.25),
    breathiness: random.uniform(0.01, 0.12),
    tilt: random.uniform(-15, -9), // dB an octave
    accent: Object.fromEntries(
      Object.keys(PHONES).map((name) => [name, draw(4, () => random.normal(1, 0.03))]),
    ),
  };
}

/**
 * Speaks a word once, somewhere within a second.
 *
 * @param {string[]} word Names of phones.
 * @param {ReturnType<typeof drawSpeaker>} speaker
 * @param {Random} random
 * @returns {Float64Array} (CLIP_SAMPLES,), of any level.
 */
export function say(word, speaker, random) {
  const tracks = drawTracks(word, speaker, random);
  const pulses = spectra(glottalPulses(speaker, tracks.part, random));
  const noise = spectra(Float64Array.from(draw(CLIP_SAMPLES, () => random.normal(0, 1))));
  const out = new Float64Array((FRAMES + FFT / HOP) * HOP);
  for (let frame = 0; frame < FRAMES; frame++) {
    const sound = shaped(frame, tracks, speaker, pulses[frame], noise[frame]);
    inverse(sound).forEach((value, i) => {
      out[frame * HOP + i] += value;
    });
  }
  return out.slice(HOP, HOP + CLIP_SAMPLES);
}

/** The spectrum of a frame: source through filter, and friction beside it. */
function shaped(frame, tracks, speaker, pulses, noise) {
  const [re, im] = [new Float64Array(FFT), new Float64Array(FFT)];
  const voicing = tracks.voicing[frame][0];
  const breath = tracks.breath[frame][0] + 0.3 * speaker.breathiness * voicing;
  const open = tracks.open[frame][0];
  const [center, width] = tracks.band[frame];
  const resonance = resonanceOf([
    ...tracks.formants[frame],
    ...HIGHER_FORMANTS.map((hz) => hz * speaker.tract),
  ]);
  for (let bin = 0; bin < BINS; bin++) {
    const hz = (bin * SAMPLE_RATE) / FFT;
    const octaves = Math.log2(Math.max(hz, 500) / 500);
    const slope = 10 ** (((speaker.tilt + 6) * octaves) / 20); // lips give 6 dB back
    const closure = open + (1 - open) / (1 + (hz / 250) ** 4);
    const voice = voicing * slope * closure;
    const [x, y] = resonance(hz);
    const a = voice * pulses.re[bin] + breath * noise.re[bin];
    const b = voice * pulses.im[bin] + breath * noise.im[bin];
    const friction =
      tracks.friction[frame][0] * Math.exp(-0.5 * ((hz - center) / width) ** 2);
    re[bin] = a * x - b * y + friction * noise.re[bin];
    im[bin] = a * y + b * x + friction * noise.im[bin];
  }
  return { re, im };
}

/** The tract's response at a frequency, [real, imaginary]. */
function resonanceOf(formants) {
  return (hz) => {
    let [re, im] = [1, 0];
    formants.forEach((formant, n) => {
      const ratio = hz / formant;
      const [a, b] = [1 - ratio ** 2, (ratio * BANDWIDTHS[n]) / formant];
      [re, im] = [re * a - im * b, re * b + im * a];
    });
    const power = re ** 2 + im ** 2;
    return [re / power, -im / power];
  };
}

/** Targets of the word's phones, gliding: for each name a list of values a frame. */
function drawTracks(word, speaker, random) {
  const phones = word.flatMap((name) => PHONES[name].map((each) => ({ name, ...each })));
  const tempo = speaker.tempo * random.uniform(0.9, 1.1);
  const lengths = phones.map(
    ({ seconds }) => seconds * tempo * random.uniform(0.85, 1.15),
  );
  const spare = CLIP_SAMPLES / SAMPLE_RATE - lengths.reduce((a, b) => a + b);
  const onset = random.uniform(0.05, spare - 0.05);
  let end = 0;
  const ends = lengths.map((length) => onset + (end += length));
  const last = ends.at(-1);
  const times = draw(FRAMES, (frame) => (frame * HOP) / SAMPLE_RATE);
  const indices = times.map((time) =>
    Math.min(ends.filter((end) => end < time).length, phones.length - 1),
  );
  const track = (values, seconds, inside = () => 1) =>
    glide(
      times.map((time, i) => values[indices[i]].map((value) => value * inside(time))),
      seconds,
    );
  const formants = phones.map(({ name, formants }) =>
    formants.map(
      (hz, n) => hz * speaker.tract * speaker.accent[name][n] * random.normal(1, 0.015),
    ),
  );
  const stress = phones.map(() => random.uniform(0.7, 1));
  const isSpoken = (time) => Number(time >= onset && time < last);
  const amplitude = (name, seconds) =>
    track(phones.map((each, i) => [each[name] * stress[i]]), seconds, isSpoken);
  // A phone without friction takes the band of its neighbours.
  const levels = phones.map(({ friction }) => [friction + 1e-6]);
  const weights = track(levels, 0.016);
  const bands = track(
    phones.map(({ band }, i) => band.map((hz) => hz * levels[i][0])),
    0.016,
  );
  return {
    formants: track(formants, 0.07),
    voicing: amplitude("voicing", 0.03),
    breath: amplitude("breath", 0.024),
    friction: amplitude("friction", 0.016),
    band: bands.map((band, i) => band.map((hz) => (speaker.tract * hz) / weights[i][0])),
    open: track(phones.map(({ open }) => [open]), 0.016),
    part: times.map((time) => (time - onset) / (last - onset)),
  };
}

/** Smooths the frames by a Hann window, as a tract that can't jump. */
function glide(rows, seconds) {
  const half = Math.max(1, Math.round((seconds * SAMPLE_RATE) / HOP / 2));
  const taps = draw(2 * half + 1, (i) => 1 - Math.cos((Math.PI * (i + 1)) / (half + 1)));
  const sum = taps.reduce((a, b) => a + b);
  return rows.map((row, frame) =>
    row.map((_, n) =>
      taps.reduce((total, tap, i) => {
        const from = Math.min(Math.max(frame + i - half, 0), rows.length - 1);
        return total + (tap / sum) * rows[from][n];
      }, 0),
    ),
  );
}

/** Unit pulses whose rate follows a falling, accented, jittered pitch. */
function glottalPulses(speaker, part, random) {
  const accent = random.uniform(0.1, 0.9);
  const fall = random.uniform(-0.35, 0.1);
  const rise = random.uniform(0, 0.35);
  const offset = random.normal(0, 0.08);
  const pitches = part.map((x) => {
    const octaves = fall * x + rise * Math.exp(-(((x - accent) / 0.25) ** 2)) + offset;
    return speaker.pitch * 2 ** octaves;
  });
  const instants = []; // at which another cycle is full
  let cycles = 0;
  for (let sample = 0; sample < CLIP_SAMPLES; sample++) {
    const frame = Math.floor(sample / HOP);
    const share = sample / HOP - frame;
    const pitch = pitches[frame] + share * (pitches[frame + 1] - pitches[frame]);
    const before = cycles;
    cycles += pitch / SAMPLE_RATE;
    if (Math.floor(cycles) > Math.floor(before)) {
      instants.push(sample - 1 + (Math.floor(cycles) - before) / (cycles - before));
    }
  }
  instants.pop(); // the last of a clip is left out
  const period = SAMPLE_RATE / pitches[0];
  const jitter = instants.map(() => random.normal(0, 0.008) * period);
  const strengths = instants.map(() => random.normal(1, 0.06) * Math.sqrt(period));
  const pulses = new Float64Array(CLIP_SAMPLES);
  instants.forEach((instant, n) => {
    // A windowed sinc, so that a pulse may lie between two samples.
    const whole = Math.floor(instant + jitter[n]);
    for (let tap = -7; tap < 9; tap++) {
      const distance = tap - (instant + jitter[n] - whole);
      const angle = Math.PI * distance;
      const sinc = distance === 0 ? 1 : Math.sin(angle) / angle;
      const place = whole + tap;
      if (place < 0 || place >= CLIP_SAMPLES) continue;
      pulses[place] += strengths[n] * sinc * Math.cos(angle / 18) ** 2;
    }
  });
  return pulses;
}

/** The spectra of the frames of a clip; frame i is centred on i * HOP. */
function spectra(waveform) {
  return draw(FRAMES, (frame) => {
    const [re, im] = [new Float64Array(FFT), new Float64Array(FFT)];
    for (let i = 0; i < FRAME; i++) {
      const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / FRAME);
      re[i] = (waveform[(frame - 1) * HOP + i] ?? 0) * window;
    }
    transform(re, im);
    return { re, im };
  });
}

/** The signal of a spectrum of a real one, of which bins up to BINS are filled. */
function inverse({ re, im }) {
  // What numpy's irfft leaves out: the imaginary parts at 0 and at half the rate.
  im[0] = im[BINS - 1] = 0;
  for (let bin = 1; bin < BINS - 1; bin++) {
    re[FFT - bin] = re[bin];
    im[FFT - bin] = -im[bin];
  }
  transform(im, re); // swapped, the transform goes back
  return re.map((value) => value / FFT);
}

/** The Fourier transform, in place, of as many values as a power of two. */
function transform(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    for (let k = 0; k < size / 2; k++) {
      const angle = (-2 * Math.PI * k) / size;
      const [x, y] = [Math.cos(angle), Math.sin(angle)];
      for (let i = k; i < n; i += size) {
        const j = i + size / 2;
        const [a, b] = [re[j] * x - im[j] * y, re[j] * y + im[j] * x];
        [re[j], im[j]] = [re[i] - a, im[i] - b];
        [re[i], im[i]] = [re[i] + a, im[i] + b];
      }
    }
  }
}

function draw(count, make) {
  return Array.from({ length: count }, (_, i) => make(i));
}
