// Annotated calls of the species beside the clip, each with its spectrogram and sound.

import { persistently } from "./outbox.js";
import { draw } from "./picture.js";
import { play } from "./sound.js";

export class References {
  /** `speed` is a function that returns the speed to play at. */
  constructor(element, transport, clips, report) {
    Object.assign(this, { element, transport, clips, report, speed: () => 1 });
    this.species = null;
    this.shown = [];
    this.next = 0;
    new ResizeObserver(() => this.redraw()).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  /** Show the calls of a species. */
  async show(species) {
    if (species === this.species) return;
    this.species = species;
    this.shown = [];
    this.next = 0;
    this.element.replaceChildren();
    const found = await persistently(() => this.transport.references(species), this.report);
    if (species !== this.species) return;
    if (!found.length) this.element.textContent = "No annotated call of this species.";
    for (const reference of found) {
      const clip = await this.clips.reference(reference).catch((error) => error);
      // Another species may have been asked for in the meantime.
      if (species !== this.species) return;
      this.element.append(clip instanceof Error ? this.failed(reference, clip) : this.made(reference, clip));
      this.redraw();
    }
  }

  made(reference, clip) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "reference";
    button.title = `play ${reference.recording}, ${reference.start.toFixed(2)} s`;
    const canvas = document.createElement("canvas");
    const caption = document.createElement("span");
    caption.textContent = `▶ ${reference.recording} · ${reference.start.toFixed(1)} s`;
    button.append(canvas, caption);
    const entry = { button, canvas, clip };
    button.addEventListener("click", () => {
      button.blur();
      this.play(entry);
    });
    this.shown.push(entry);
    return button;
  }

  failed(reference, error) {
    const text = document.createElement("p");
    text.textContent = `${reference.recording}: ${error.message}`;
    return text;
  }

  play({ clip }) {
    play(clip, 0, clip.end - clip.start, this.speed(), null);
  }

  /** Play the next call, from the first one again after the last. */
  playNext() {
    if (!this.shown.length) return;
    const entry = this.shown[this.next % this.shown.length];
    this.next = (this.next + 1) % this.shown.length;
    entry.button.scrollIntoView({ block: "nearest" });
    this.play(entry);
  }

  /** The frequencies of all calls shown, [lowest, highest] in Hz; null if they are not known. */
  band() {
    const boxes = this.shown.map(({ clip }) => clip.box).filter((box) => box.high !== null);
    if (!boxes.length) return null;
    return [Math.min(...boxes.map((box) => box.low ?? 0)), Math.max(...boxes.map((box) => box.high))];
  }

  redraw() {
    for (const { canvas, clip } of this.shown) {
      if (!canvas.clientWidth) continue;
      const [bottom, top] = [clip.box.low ?? 0, clip.box.high ?? 12000];
      const margin = clip.box.high === null ? 0 : top - bottom;
      const [low, high] = [Math.max(0, bottom - margin), Math.min(clip.rate / 2, top + margin)];
      draw(canvas, clip, { from: clip.start, to: clip.end, low, high, isMel: false, contrast: 0 });
    }
  }
}
