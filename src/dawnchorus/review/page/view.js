// The spectrogram of the clip that is asked about: which part of it is shown, and the cursor of the playback.

import { draw, fit, plotArea } from "./picture.js";

const SHORTEST = 0.05;
const LONGEST_STEP = 2;
// Most birds call below this, Hz.
const USUAL_TOP = 12000;
// Sample rates above this are for bats, Hz.
const ULTRASONIC = 100000;

export class View {
  constructor(picture, cursor) {
    this.picture = picture;
    this.cursor = cursor;
    this.clip = null;
    this.isMel = false;
    this.band = "usual";
    this.contrast = 0;
    new ResizeObserver(() => this.redraw()).observe(picture);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  /** Show a clip, all of it; null shows nothing. */
  show(clip) {
    this.clip = clip;
    if (clip) [this.from, this.to] = [clip.start, clip.end];
    this.redraw();
  }

  /** The frequencies shown, Hz. */
  frequencies() {
    const top = this.clip.rate / 2;
    const [low, high] = this.callBand() || [0, null];
    if (this.band === "call" && high !== null) {
      const margin = Math.max(200, (high - low) * 0.5);
      return [Math.max(0, low - margin), Math.min(top, high + margin)];
    }
    const isAll = this.band === "all" || this.clip.rate > ULTRASONIC;
    return [0, isAll ? top : Math.min(top, Math.max(USUAL_TOP, (high ?? 0) * 1.25))];
  }

  /** The frequencies of the call, Hz: those of the box, else those of the reference calls; null if neither is known. */
  callBand() {
    const { low, high } = this.clip.box;
    return high === null ? this.usualBand() : [low ?? 0, high];
  }

  redraw() {
    if (!this.clip || !this.picture.clientWidth) {
      const size = fit(this.picture);
      this.picture.getContext("2d").clearRect(0, 0, size.width * 2, size.height * 2);
      return;
    }
    const [low, high] = this.frequencies();
    const { from, to, isMel, contrast } = this;
    draw(this.picture, this.clip, { from, to, low, high, isMel, contrast });
  }

  /** Show a shorter (factor below 1) or longer time around a moment, s; by default the middle of the box. */
  zoom(factor, around = null) {
    if (!this.clip) return;
    const { box } = this.clip;
    const middle = around ?? Math.min(this.to, Math.max(this.from, (box.start + box.end) / 2));
    const length = Math.max(SHORTEST, Math.min(this.clip.end - this.clip.start, (this.to - this.from) * factor));
    const part = around === null ? 0.5 : (middle - this.from) / (this.to - this.from);
    this.moveTo(middle - part * length, length);
  }

  /** Move by a part of the time shown. */
  pan(part) {
    if (this.clip) this.moveTo(this.from + part * (this.to - this.from), this.to - this.from);
  }

  moveTo(from, length) {
    this.from = Math.max(this.clip.start, Math.min(from, this.clip.end - length));
    this.to = Math.min(this.clip.end, this.from + length);
    this.redraw();
  }

  /** Next of: the usual frequencies, those of the call, all. */
  nextBand() {
    const names = ["usual", "call", "all"];
    this.band = names[(names.indexOf(this.band) + 1) % names.length];
    this.redraw();
  }

  /** Raise or lower the level that counts as noise, dB. */
  changeContrast(step) {
    this.contrast = Math.max(-40, Math.min(40, this.contrast + step));
    this.redraw();
  }

  toggleMel() {
    this.isMel = !this.isMel;
    this.redraw();
    return this.isMel;
  }

  /** The moment under a pointer, s in the recording; null beside the plot. */
  timeAt(event) {
    if (!this.clip) return null;
    const frame = this.picture.getBoundingClientRect();
    const area = plotArea(frame);
    const part = (event.clientX - frame.left - area.x) / area.width;
    return part >= 0 && part <= 1 ? this.from + part * (this.to - this.from) : null;
  }

  /** Draw the cursor at a moment, s in the recording; null removes it. */
  moveCursor(time) {
    const size = fit(this.cursor);
    const pen = this.cursor.getContext("2d");
    pen.setTransform(size.scale, 0, 0, size.scale, 0, 0);
    pen.clearRect(0, 0, size.width, size.height);
    if (time === null || time < this.from || time > this.to) return;
    const area = plotArea(size);
    const x = area.x + ((time - this.from) / (this.to - this.from)) * area.width;
    pen.fillStyle = "#000";
    pen.fillRect(x - 1.5, area.y, 3, area.height);
    pen.fillStyle = "#56b4e9";
    pen.fillRect(x - 0.5, area.y, 2, area.height);
  }
}

/** The margin around the box that follows from wider or narrower context, s. */
export function nextMargin(margin, step) {
  return Math.max(0.5, Math.min(20, margin + step * (margin >= 4 ? LONGEST_STEP : 1)));
}
