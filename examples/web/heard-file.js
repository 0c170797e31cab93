// A file that was heard: its picture and its timeline, the part of it that is looked at,
// where the player is, and where the visitor points.

import { clock, roundTimes, showTimes } from "./axes.js";
import { NONE_OF_THESE } from "./decisions.js";
import { explainedEvents } from "./events.js";

const LEAST_SECONDS = 1; // that are looked at, at closest
const NEARLY = 1e-6; // seconds, for sums are rounded
const CLOSER = 2;
const MOVE = 0.75; // of what is looked at

export class HeardFile {
  #byId;
  #picture;
  #timeline;
  #player;
  #show;
  #answer = null;
  #window = 0; // of the model, seconds
  #seconds = 0; // its length
  #from = 0; // what is looked at
  #to = 0;

  /**
   * @param {(id: string) => HTMLElement} byId Elements of the page.
   * @param {import("./picture.js").Picture} picture
   * @param {import("./timeline.js").Timeline} timeline
   * @param {(probabilities: ArrayLike<number>[], live: boolean) => void} show Shows the
   *   scores of the heads.
   */
  constructor(byId, picture, timeline, show) {
    this.#byId = byId;
    this.#picture = picture;
    this.#timeline = timeline;
    this.#player = byId("player");
    this.#show = show;
    this.#listen();
  }

  #listen() {
    const plot = this.#byId("plot");
    for (const type of ["pointermove", "pointerleave"]) {
      plot.addEventListener(type, (event) => {
        if (this.#player.paused) this.#point(this.#pointed(event));
      });
    }
    plot.addEventListener("click", (event) => {
      const time = this.#pointed(event);
      if (time !== null) this.playFrom(time);
    });
    for (const type of ["play", "seeked", "ended"]) {
      this.#player.addEventListener(type, () => this.#follow());
    }
    this.#player.addEventListener("pause", () => this.#point(null));
    const zoom = { closer: 1 / CLOSER, farther: CLOSER };
    for (const [id, factor] of Object.entries(zoom)) {
      this.#byId(id).addEventListener("click", () => this.#zoom(factor));
    }
    for (const [id, way] of Object.entries({ earlier: -MOVE, later: MOVE })) {
      this.#byId(id).addEventListener("click", () => this.#move(way));
    }
  }

  clear() {
    this.#answer = null;
    this.#timeline.clear();
    this.#byId("when").textContent = "";
    this.#byId("timeline").hidden = this.#byId("lanes").hidden = true;
    this.#byId("playhead").hidden = true;
    showTimes(this.#byId("times"), []);
  }

  /**
   * @param {Awaited<ReturnType<typeof import("./hearing.js").hearClip>>} answer
   * @param {import("./artifact.js").Artifact} artifact
   */
  show(answer, artifact) {
    this.#answer = answer;
    this.#seconds = answer.waveform.length / artifact.sampleRate;
    this.#window = artifact.windowSamples / artifact.sampleRate;
    if (answer.events) {
      this.#byId("features").hidden = false;
      this.#byId("timeline").hidden = this.#byId("lanes").hidden = false;
      this.#timeline.show(answer.events, this.#seconds);
      this.#byId("events-rule").textContent = artifact.heads
        .map(explainedEvents)
        .join(" ");
    }
    this.#look(0, this.#seconds);
    this.#point(null);
  }

  playFrom(seconds) {
    this.#player.currentTime = seconds;
    this.#player.play();
  }

  /** Draws what is heard from one time to another. */
  #look(from, to) {
    [this.#from, this.#to] = [from, to];
    const { features } = this.#answer;
    if (features) {
      const frame = (time) => Math.round((time / this.#seconds) * features.frames);
      this.#picture.draw(features, frame(from), frame(to));
    }
    const times = this.#byId("times");
    showTimes(times, roundTimes(from, to, times.clientWidth));
    this.#timeline.look(from, to);
    this.#byId("closer").disabled = to - from < LEAST_SECONDS + NEARLY;
    this.#byId("farther").disabled = to - from > this.#seconds - NEARLY;
    this.#byId("earlier").disabled = from < NEARLY;
    this.#byId("later").disabled = to > this.#seconds - NEARLY;
    this.#placePlayhead();
  }

  /** Looks at a part of another length, around the player where that is in sight. */
  #zoom(factor) {
    const played = this.#player.currentTime;
    const isSeen = played > this.#from && played < this.#to;
    const middle = isSeen ? played : (this.#from + this.#to) / 2;
    const length = Math.max((this.#to - this.#from) * factor, LEAST_SECONDS);
    this.#lookFrom(middle - length / 2, length);
  }

  #move(way) {
    const length = this.#to - this.#from;
    this.#lookFrom(this.#from + way * length, length);
  }

  #lookFrom(from, length) {
    if (length > this.#seconds - NEARLY) {
      this.#look(0, this.#seconds);
    } else {
      const start = Math.min(Math.max(from, 0), this.#seconds - length);
      this.#look(start, start + length);
    }
  }

  /** Keeps the playhead where the player is, and in sight. */
  #follow() {
    if (!this.#answer) return;
    const { currentTime, paused } = this.#player;
    const isSeen = currentTime >= this.#from && currentTime <= this.#to;
    if (!isSeen) this.#lookFrom(currentTime, this.#to - this.#from);
    this.#placePlayhead();
    if (paused) return;
    this.#point(currentTime);
    requestAnimationFrame(() => this.#follow());
  }

  #placePlayhead() {
    const { currentTime, hidden } = this.#player;
    const place = (currentTime - this.#from) / (this.#to - this.#from);
    const playhead = this.#byId("playhead");
    const isUnderWay = currentTime > 0 && currentTime < this.#seconds;
    playhead.hidden = hidden || !isUnderWay || place < 0 || place > 1;
    playhead.style.left = `${100 * place}%`;
  }

  /** The time that the visitor points at, in seconds; null for none. */
  #pointed({ target, clientX }) {
    const place = target.closest?.(".frame, .lane-track");
    if (!place || !this.#answer?.events) return null;
    const { left, width } = place.getBoundingClientRect();
    const share = Math.min(Math.max((clientX - left) / width, 0), 1);
    return this.#from + share * (this.#to - this.#from);
  }

  /** Shows what is heard around a time, or on average where that is null. */
  #point(time) {
    if (!this.#answer?.events) return;
    const { course, probabilities } = this.#answer;
    if (time === null) {
      this.#byId("at").textContent =
        "Point at a time to see what is heard there; click to hear it.";
      this.#byId("when").textContent = "on average";
      this.#show(probabilities, false);
      return;
    }
    const nearest = Math.round((time - this.#window / 2) / course.hop);
    const index = Math.min(Math.max(nearest, 0), course.scores.length - 1);
    this.#show(course.scores[index], true);
    this.#byId("when").textContent = `around ${clock(time, 1)}`;
    const events = this.#timeline.at(time) || NONE_OF_THESE;
    this.#byId("at").textContent = `${clock(time, 1)}  ${events}`;
  }
}
