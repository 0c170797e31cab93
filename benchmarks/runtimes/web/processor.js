// What runs in the worklet; `worklet.js` joins the runtime's code to it.

import { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";

// LiteRT.js takes these for granted, and a worklet has none of them.
globalThis.self ??= globalThis;
globalThis.importScripts ??= () => {}; // the code is here already
globalThis.performance ??= { now: () => Date.now() };
globalThis.setTimeout ??= (call) => Promise.resolve().then(call);
globalThis.URL ??= class {
  constructor(address) {
    this.href = address;
  }
};
globalThis.TextDecoder ??= class {
  decode(bytes) {
    const text = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte));
    return decodeURIComponent(escape(text.join("")));
  }
};

class Model extends AudioWorkletProcessor {
  #model;

  constructor({ processorOptions }) {
    super();
    this.port.onmessage = async ({ data }) => {
      try {
        this.port.postMessage(await this.#answer(data, processorOptions));
      } catch (error) {
        this.port.postMessage({ error: String(error) });
      }
    };
  }

  async #answer({ samples, repeats }, { wasm, file }) {
    if (!samples) {
      globalThis.Module = { wasmBinary: wasm };
      await loadLiteRt("litert_wasm_internal.js");
      this.#model = await loadAndCompile(file, { accelerator: "wasm" });
      return {};
    }
    const started = Date.now();
    let answer;
    for (let i = 0; i < (repeats ?? 1); i++) answer = await this.#run(samples);
    return { answer, seconds: (Date.now() - started) / 1000 / (repeats ?? 1) };
  }

  async #run(samples) {
    const waveform = new Tensor(samples, [1, samples.length]);
    const outputs = await this.#model.run({ waveform });
    waveform.delete();
    const answer = {};
    for (const [name, tensor] of Object.entries(outputs)) {
      answer[name] = [...tensor.toTypedArray()];
      tensor.delete();
    }
    return answer;
  }

  process() {
    return true;
  }
}

registerProcessor("model", Model);
