// LiteRT.js in an AudioWorklet, which has neither fetch nor dynamic imports: the page
// hands over the code of the runtime, its WebAssembly and the model.

import { fetchBytes, fetchText } from "./fetching.js";

const LITERT = "./node_modules/@litertjs/";
const RUNTIME = `${LITERT}core/wasm/litert_wasm_internal`;

/** @returns {Promise<object>} `run` and `time` of a `.tflite` file. */
export async function openInWorklet(file) {
  const context = new OfflineAudioContext(1, 128, 8000);
  await context.audioWorklet.addModule(await code());
  const processorOptions = {
    wasm: await fetchBytes(`${RUNTIME}.wasm`),
    file: await fetchBytes(file),
  };
  const node = new AudioWorkletNode(context, "model", { processorOptions });
  const waiting = [];
  node.port.onmessage = ({ data }) => waiting.shift()(data);
  const ask = async (question) => {
    const answer = await new Promise((resolve) => {
      waiting.push(resolve);
      node.port.postMessage(question);
    });
    if (answer.error) throw new Error(answer.error);
    return answer;
  };
  await ask({ open: true });
  return {
    run: async (samples) => (await ask({ samples })).answer,
    time: async (samples, repeats) => (await ask({ samples, repeats })).seconds,
  };
}

/** The address of one module: an import map does not reach into a worklet. */
async function code() {
  const utils = address(await fetchText(`${LITERT}wasm-utils/dist/index.js`));
  const core = (await fetchText(`${LITERT}core/dist/index.js`)).replaceAll(
    '"@litertjs/wasm-utils"',
    JSON.stringify(utils),
  );
  const processor = await fetchText("./processor.js");
  const runtime = await fetchText(`${RUNTIME}.js`);
  const start = `globalThis.ModuleFactory = ModuleFactory;`;
  return address(
    [processor.replace("@litertjs/core", address(core)), runtime, start].join("\n"),
  );
}

function address(text) {
  return URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
}
