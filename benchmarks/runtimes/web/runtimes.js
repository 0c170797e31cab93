// The runtimes by name, for `browser.py`: open, run, time.

const OPENERS = {
  "litert-js": async (file) => (await import("./litert.js")).openInPage(file),
  "litert-js-worklet": async (file) => (await import("./worklet.js")).openInWorklet(file),
  "onnxruntime-web": async (file) => (await import("./onnx.js")).openOnnx(file),
};
const models = {};

globalThis.runtimes = {
  /** Loads a file. */
  async open(name, file) {
    models[name] = await OPENERS[name](file);
  },

  /** {output: its values} of a window. */
  async run(name, window) {
    return models[name].run(Float32Array.from(window));
  },

  /** Seconds that a window takes, the mean of some. */
  async time(name, window, repeats) {
    const samples = Float32Array.from(window);
    if (models[name].time) return models[name].time(samples, repeats);
    const started = performance.now();
    for (let i = 0; i < repeats; i++) await models[name].run(samples);
    return (performance.now() - started) / 1000 / repeats;
  },
};

document.body.dataset.state = "ready";
