// From a file or the microphone to a mono waveform at the model's rate.

import { PageError } from "./errors.js";

const START_MS = 4000; // that audio may take to start

/**
 * Decodes an audio file; another rate is resampled, channels are averaged.
 *
 * @param {File} file Any format that the browser plays.
 * @param {number} sampleRate The model's, in Hz. A file of that rate is taken sample
 *   by sample.
 * @returns {Promise<Float32Array>} At least one sample.
 * @throws {PageError} No audio that the browser can read.
 */
export async function decodeFile(file, sampleRate) {
  const bytes = await file.arrayBuffer();
  if (!bytes.byteLength) throw new PageError(`${file.name} is empty (0 bytes).`);
  let decoded;
  try {
    // Decoded at the rate of the context: the browser resamples, well filtered.
    decoded = await new OfflineAudioContext(1, 1, sampleRate).decodeAudioData(bytes);
  } catch {
    throw new PageError(
      `${file.name} is not audio that this browser can read: it is damaged or of ` +
        "another kind. Take a WAV, FLAC, OGG, MP3 or M4A file.",
    );
  }
  if (!decoded.length) throw new PageError(`${file.name} holds no samples.`);
  return monoOf(decoded);
}

function monoOf(buffer) {
  const mono = new Float32Array(buffer.length);
  for (let channel = 0; channel < buffer.numberOfChannels; channel++) {
    const samples = evenlyScaled(buffer.getChannelData(channel));
    for (let i = 0; i < mono.length; i++) mono[i] += samples[i];
  }
  return mono.map((sum) => sum / buffer.numberOfChannels);
}

/**
 * 16 bit over 32768. Chromium divides what is above 0 by 32767; others, and what is no
 * 16 bit, pass as they are.
 */
function evenlyScaled(samples) {
  const is16Bit = samples.every((sample) => {
    const step = sample * 32767;
    return sample <= 0 || Math.abs(step - Math.round(step)) < 0.01;
  });
  if (!is16Bit) return samples;
  return samples.map((sample) =>
    sample > 0 ? Math.round(sample * 32767) / 32768 : sample,
  );
}

/** The sound before the microphone's last sample, for as long as it is open. */
export class Microphone {
  #context;
  #stream;
  #nodes; // held here, for a browser collects what nobody holds
  #past; // the last samples heard, in a ring
  #heard = 0;

  /**
   * Asks for the microphone, and starts to listen.
   *
   * @param {number} sampleRate The model's, in Hz.
   * @param {number} seconds How far back `part` may reach.
   * @param {() => void} onEnd Called when the microphone goes away by itself.
   * @returns {Promise<Microphone>}
   * @throws {PageError} None, or none for this page.
   */
  static async open(sampleRate, seconds, onEnd) {
    const stream = await askForMicrophone();
    const microphone = new Microphone();
    try {
      await microphone.#listen(stream, sampleRate, seconds);
    } catch (error) {
      microphone.close();
      throw error;
    }
    stream.getAudioTracks()[0].addEventListener("ended", onEnd);
    return microphone;
  }

  async #listen(stream, sampleRate, seconds) {
    this.#stream = stream;
    this.sampleRate = sampleRate;
    const source = this.#connect(stream);
    this.#past = new Float32Array(Math.ceil(seconds * this.#context.sampleRate));
    await this.#context.audioWorklet.addModule("./recorder-worklet.js");
    const recorder = new AudioWorkletNode(this.#context, "recorder", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    recorder.port.onmessage = ({ data }) => this.#keep(data);
    source.connect(recorder);
    this.#nodes = [source, recorder];
    await started(this.#context);
  }

  /** At the model's rate where the browser resamples microphones, else at its own. */
  #connect(stream) {
    try {
      this.#context = new AudioContext({ sampleRate: this.sampleRate });
      return this.#context.createMediaStreamSource(stream);
    } catch (error) {
      if (error.name !== "NotSupportedError") throw error;
      this.#context?.close();
      this.#context = new AudioContext();
      return this.#context.createMediaStreamSource(stream);
    }
  }

  #keep(samples) {
    const start = this.#heard % this.#past.length;
    const fit = Math.min(samples.length, this.#past.length - start);
    this.#past.set(samples.subarray(0, fit), start);
    this.#past.set(samples.subarray(fit), 0);
    this.#heard += samples.length;
  }

  /** How many samples have been heard, counted at the model's rate. */
  get heard() {
    return Math.floor((this.#heard * this.sampleRate) / this.#context.sampleRate);
  }

  /**
   * @param {number} end Where the part ends, in samples as `heard` counts them.
   * @param {number} length In samples.
   * @returns {Promise<Float32Array>} (length,) at the model's rate.
   */
  async part(end, length) {
    const ratio = this.#context.sampleRate / this.sampleRate;
    const samples = this.#slice(Math.round(end * ratio), Math.ceil(length * ratio));
    return ratio === 1 ? samples : resample(samples, ratio, length, this.sampleRate);
  }

  #slice(end, length) {
    const size = this.#past.length;
    return Float32Array.from({ length }, (_, i) => {
      return this.#past[(end - length + i + size) % size]; // zeros before the first
    });
  }

  close() {
    this.#stream.getTracks().forEach((track) => track.stop());
    this.#context?.close();
  }
}

/** Resolves once the browser's audio runs. */
async function started(context) {
  const late = new Promise((resolve) => setTimeout(resolve, START_MS, "late"));
  if ((await Promise.race([context.resume(), late])) === "late") {
    throw new PageError(
      "The browser's audio does not start. Some browsers need an output for it: " +
        "connect a loudspeaker or headphones, then start the microphone again.",
    );
  }
}

async function askForMicrophone() {
  if (!navigator.mediaDevices) {
    throw new PageError(
      "Browsers give the microphone only to pages from https or from this same " +
        "machine (localhost). Serve the page so, or choose a file.",
    );
  }
  try {
    // The model wants the sound as it is, as in the clips it learned from.
    return await navigator.mediaDevices.getUserMedia({
      audio: {
        echoCancellation: false,
        noiseSuppression: false,
        autoGainControl: false,
      },
    });
  } catch (error) {
    throw new PageError(MICROPHONE_REASONS[error.name] ?? MICROPHONE_REASONS.other);
  }
}

const MICROPHONE_REASONS = {
  NotAllowedError:
    "The microphone is not allowed for this page. Allow it in the browser's address " +
    "bar, then start it again.",
  NotFoundError: "There is no microphone. Connect one, then start it again.",
  NotReadableError:
    "The microphone does not answer. Close other programs that use it, then start it " +
    "again.",
  other: "The microphone did not start. Try again, or choose a file.",
};

async function resample(samples, ratio, length, sampleRate) {
  const context = new OfflineAudioContext(1, length, sampleRate);
  const buffer = new AudioBuffer({
    length: samples.length,
    sampleRate: ratio * sampleRate,
  });
  buffer.copyToChannel(samples, 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(context.destination);
  source.start();
  return (await context.startRendering()).getChannelData(0);
}
