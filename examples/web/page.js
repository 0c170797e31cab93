// Wires the page: what the visitor does, to what the model answers.

import { openArtifact } from "./artifact.js";
import { PageError } from "./errors.js";
import { hearClip, hearMicrophone } from "./hearing.js";
import { Picture, RollingFeatures } from "./picture.js";
import { decodeFile, Microphone } from "./recording.js";
import { Scores } from "./scores.js";

const LIVE_SECONDS = 5; // of features that are seen live; at least a window
const UNSETTLED_SECONDS = 0.03; // at the end of a window: half a filter, half a pooling

const FREQUENCIES = 5; // that are written beside the picture
const SILENT_ANSWERS = 10; // in a row, before the visitor is asked

const byId = (id) => document.getElementById(id);
const picture = new Picture(byId("picture"));
const player = byId("player");
let artifact;
let scores = [];
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
  byId("features").hidden = !artifact.hasFeatures;
  if (artifact.centers) showFrequencies(artifact.centers);
  byId("file").disabled = false;
  byId("microphone").disabled = false;
  document.body.dataset.state = "ready";
  say(
    artifact.hasFeatures
      ? "Ready: choose a file, drop one here, or start the microphone."
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

async function hearFile(file, signal) {
  say(`Reading ${file.name} …`, "busy");
  const waveform = await decodeFile(file, artifact.sampleRate);
  if (signal.aborted) return;
  const progress = (done, all) => say(`Window ${done} of ${all} …`, "busy");
  const answer = await hearClip(artifact, waveform, progress, signal);
  if (!answer) return;
  show(answer, false);
  if (answer.features) picture.draw(answer.features);
  const duration = waveform.length / artifact.sampleRate;
  showTimes("0 s", seconds(duration / 2), seconds(duration));
  play(file);
  const many = answer.windows > 1 ? `${answer.windows} windows averaged` : "1 window";
  say(`${file.name}, ${seconds(duration)}, ${many}.`);
  publish("file", answer);
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
  showTimes(`${seconds(liveSeconds)} ago`, "", "now");
  let rolling;
  let silent = 0;
  await hearMicrophone(
    artifact,
    microphone,
    (answer) => {
      show(answer, true);
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
  showTimes("", "", "");
  scores.forEach((head) => head.clear());
  document.body.dataset.state = "ready";
}

function show({ probabilities }, live) {
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

function showTimes(...times) {
  [...byId("times").children].forEach((place, i) => {
    place.textContent = times[i];
  });
}

/** Writes the center frequencies of some filters beside their rows of the picture. */
function showFrequencies(centers) {
  byId("axis").textContent = "center frequency, Hz";
  const last = centers.length - 1;
  const many = Math.min(FREQUENCIES, centers.length);
  for (let i = 0; i < many; i++) {
    const filter = Math.round((i * last) / Math.max(many - 1, 1));
    const label = document.createElement("span");
    label.textContent = centers[filter].toFixed(0);
    label.style.top = `${100 * (1 - (filter + 0.5) / centers.length)}%`;
    byId("frequencies").append(label);
  }
}

function movePlayhead() {
  const played = player.currentTime / player.duration;
  byId("playhead").hidden = player.hidden || !(played > 0 && played < 1);
  byId("playhead").style.left = `${100 * played}%`;
  if (!player.paused) requestAnimationFrame(movePlayhead);
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

for (const type of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    const over = type === "dragover" && artifact;
    document.body.classList.toggle("is-dropping", Boolean(over));
    if (type === "drop" && artifact) chosen([...event.dataTransfer.files]);
  });
}

player.addEventListener("play", movePlayhead);
player.addEventListener("seeked", movePlayhead);
player.addEventListener("ended", movePlayhead);

start().catch((error) => {
  fail(error);
  document.body.dataset.state = "unusable";
});
