// LiteRT.js in the page.

import { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";

import { fetchBytes } from "./fetching.js";

/** @returns {Promise<object>} `run` and `time` of a `.tflite` file. */
export async function openInPage(file) {
  await loadLiteRt("./node_modules/@litertjs/core/wasm/");
  const model = await loadAndCompile(await fetchBytes(file), { accelerator: "wasm" });
  const run = async (samples) => {
    const waveform = new Tensor(samples, [1, samples.length]);
    const outputs = await model.run({ waveform });
    waveform.delete();
    const answer = {};
    for (const [name, tensor] of Object.entries(outputs)) {
      answer[name] = [...tensor.toTypedArray()];
      tensor.delete();
    }
    return answer;
  };
  return { run };
}
