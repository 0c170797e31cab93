// Wires the page: what the visitor does, to what the model answers.

import { openArtifact } from "./artifact.js";
import { showFrequencies, showTimes } from "./axes.js";
import { PageError } from "./errors.js";
import { speak } from "./example.js";
import { HeardFile } from "./heard-file.js";
import { hearClip, hearMicrophone } from "./hearing.js";
import { Picture, RollingFeatures } from "./picture.js";
import { decodeFile, Microphone } from "./recording.js";
import { Scores } from "./scores.js";
import { Timeline } from "./timeline.js";

const LIVE_SECONDS = 5; // of features that are seen live; at least a window
const UNSETTLED_SECONDS = 0.03; // at the end of a window: half a filter, half a pooling
const SILENT_ANSWERS = 10; // in a row, before the visitor is asked

const byId = (id) => document.getElementById(id);
const picture = new Picture(byId("picture"));
const player = byId("player");
const timeline = new Timeline(byId("lanes"), byId("events"), (seconds) =>
  heardFile.playFrom(seconds),
);
const heardFile = new HeardFile(byId, picture, timeline, show);
let artifact;
let scores = [];
let examples = 0; // that were spoken
let current = new AbortController(); // aborted when something else is to be heard

/** Every answer also goes out as an event, for what else you build on this page. */
function publish(source, answer) {
  const detail = { source, sampleRate: artifact.sampleRate, ...answer };
  document.dispatchEvent(new CustomEvent("answer", { detail }));
}

async function start() {
  say("Loading the model …");
  const asked = new URLSearchParams(location.search);
  const folder = asked.get("artifact") ?? "artifact";
  const file = asked.get("file") ?? "model.tflite";
  artifact = await openArtifact(folder.replace(/\/+$/, ""), file);
  scores = artifact.heads.map((head) => new Scores(byId("scores"), head));
  byId("about").textContent = describe(artifact);
  offerFiles(artifact);
  timeline.open(artifact.heads);
  byId("features").hidden = !artifact.hasFeatures;
  byId("features").classList.toggle("has-picture", artifact.hasFeatures);
  if (artifact.centers) {
    byId("axis").textContent = "center frequency, Hz";
    showFrequencies(byId("frequencies"), artifact.centers);
  }
  for (const name of ["file", "microphone", "example"]) byId(name).disabled = false;
  document.body.dataset.state = "ready";
  say(
    artifact.hasFeatures
      ? "Ready: choose a file, drop one here, start the microphone, or try an example."
      : "Ready. This export has no frontend.tflite: there will be scores, but no " +
          "picture of the features. Export again with this version to have both.",
  );
}

function describe({ name, heads, sampleRate, windowSamples }) {
  const labels = heads.reduce((sum, head) => sum + head.labels.length, 0);
  return [
    name,
    `${labels} labels`,
    `${(sampleRate / 1000).toFixed(3).replace(/\.?0+$/, "")} kHz`,
    `${seconds(windowSamples / sampleRate)} windows`,
  ].join(" · ");
}

/** The other kinds of the model, where the export has some. */
function offerFiles({ file, files }) {
  byId("files").append(...files.map((name) => new Option(name, name, false, name === file)));
  byId("files-choice").hidden = files.length < 2;
}

async function hearFile(file, signal, about = file.name) {
  say(`Reading ${file.name} …`, "busy");
  const waveform = await decodeFile(file, artifact.sampleRate);
  if (signal.aborted) return;
  const progress = (done, all) => {
    say(`Window ${done} of ${all} …`, "busy");
    byId("progress").hidden = false;
    byId("progress").value = done / all;
  };
  const answer = await hearClip(artifact, waveform, progress, signal);
  if (!answer) return;
  byId("progress").hidden = true;
  play(file);
  show(answer.probabilities, false);
  heardFile.show(answer, artifact);
  const duration = waveform.length / artifact.sampleRate;
  const many = answer.windows > 1 ? `${answer.windows} windows averaged` : "1 window";
  say(`${about}, ${seconds(duration)}, ${many}.`);
  publish("file", answer);
}

/** Words that the page speaks itself: each time another voice. */
function hearExample(signal) {
  const labels = artifact.heads.flatMap((head) => head.labels);
  const { words, known, file } = speak(labels, examples++);
  const about = known
    ? `An example that this page speaks: ${words.join(", ")}`
    : `An example that this page speaks: ${words.join(", ")}; none is a label of this model`;
  return hearFile(file, signal, about);
}

async function hearLive(signal) {
  say("Asking for the microphone …", "busy");
  const windowSeconds = artifact.windowSamples / artifact.sampleRate;
  const microphone = await Microphone.open(
    artifact.sampleRate,
    windowSeconds + 2, // a tab in the background looks once a second
    () => fail(new PageError("The microphone went away. Connect it, and start again.")),
  );
  if (signal.aborted) return microphone.close();
  signal.addEventListener("abort", () => microphone.close());
  listening(true);
  say("Listening …", "busy");
  const liveSeconds = Math.max(LIVE_SECONDS, windowSeconds);
  showTimes(byId("times"), [[0, `${seconds(liveSeconds)} ago`], [1, "now"]]);
  let rolling;
  let silent = 0;
  await hearMicrophone(
    artifact,
    microphone,
    (answer) => {
      show(answer.probabilities, true);
      if (answer.features) {
        rolling ??= rollingFeatures(liveSeconds, windowSeconds / answer.features.frames);
        rolling.push(answer.features, answer.newFrames);
        picture.draw(rolling);
      }
      silent = answer.waveform.some((sample) => sample !== 0) ? 0 : silent + 1;
      say(
        silent < SILENT_ANSWERS
          ? `Listening: the scores are of the last ${seconds(windowSeconds)}.`
          : "Nothing but zeros comes in: is the microphone muted?",
        "busy",
      );
      publish("microphone", answer);
    },
    signal,
  );
}

function rollingFeatures(seconds, secondsPerFrame) {
  return new RollingFeatures(
    Math.round(seconds / secondsPerFrame),
    Math.ceil(UNSETTLED_SECONDS / secondsPerFrame),
  );
}

/** Hears one thing in place of another. */
function hear(job) {
  clear();
  const { signal } = (current = new AbortController());
  job(signal).catch((error) => {
    if (!signal.aborted) fail(error);
  });
}

/** Ends what is being heard, and empties the page. */
function clear() {
  current.abort();
  listening(false);
  player.hidden = true;
  player.pause();
  heardFile.clear();
  byId("features").hidden = !artifact?.hasFeatures;
  byId("progress").hidden = true;
  scores.forEach((head) => head.clear());
  document.body.dataset.state = "ready";
}

function show(probabilities, live) {
  document.body.dataset.state = "heard";
  scores.forEach((head, i) => head.show(probabilities[i], live));
}

function listening(on) {
  byId("microphone").classList.toggle("is-on", on);
  byId("microphone-word").textContent = on ? "Stop" : "Microphone";
}

function play(file) {
  URL.revokeObjectURL(player.src);
  player.src = URL.createObjectURL(file);
  player.hidden = false;
}

function seconds(value) {
  return `${Number(value.toFixed(value < 10 ? 2 : 1))} s`;
}

/** @param {string} mood "", "busy" or "error". */
function say(message, mood = "") {
  const place = byId("status");
  if (place.textContent !== message) place.textContent = message;
  place.dataset.mood = mood;
}

function fail(error) {
  clear();
  if (!(error instanceof PageError)) console.error(error);
  say(
    error instanceof PageError
      ? error.message
      : `Something went wrong in the page itself: ${error?.message ?? error}`,
    "error",
  );
}

function chosen(files) {
  if (files.length) hear((signal) => hearFile(files[0], signal));
  else fail(new PageError("That was no file. Drop an audio file, or choose one."));
}

byId("files").addEventListener("change", ({ target }) => {
  const asked = new URLSearchParams(location.search);
  asked.set("file", target.value);
  location.search = asked;
});

byId("file").addEventListener("change", ({ target }) => {
  if (target.files.length) chosen([...target.files]);
  target.value = ""; // so that the same file can be chosen again
});

byId("microphone").addEventListener("click", ({ currentTarget }) => {
  if (currentTarget.classList.contains("is-on")) {
    current.abort();
    listening(false);
    say("Stopped. The picture and the scores are of the last seconds.");
  } else {
    hear(hearLive);
  }
});

byId("example").addEventListener("click", () => hear(hearExample));

for (const type of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    const over = type === "dragover" && artifact;
    document.body.classList.toggle("is-dropping", Boolean(over));
    if (type === "drop" && artifact) chosen([...event.dataTransfer.files]);
  });
}

start().catch((error) => {
  fail(error);
  document.body.dataset.state = "unusable";
});
