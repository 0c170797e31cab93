// ONNX Runtime Web in the page, on one thread.

import * as ort from "onnxruntime-web";

import { fetchBytes } from "./fetching.js";

const FILES = "./node_modules/onnxruntime-web/dist/";

/** @returns {Promise<object>} `run` of an ONNX file. */
export async function openOnnx(file) {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = new URL(FILES, location.href).href;
  const session = await ort.InferenceSession.create(await fetchBytes(file), {
    executionProviders: ["wasm"],
  });
  const run = async (samples) => {
    const waveform = new ort.Tensor("float32", samples, [1, samples.length]);
    const outputs = await session.run({ waveform });
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { data }]) => [name, [...data]]),
    );
  };
  return { run };
}
