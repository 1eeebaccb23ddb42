// Loads clips, keeps the last ones, and loads the next ones ahead.

import { Refused } from "./http.js";
import { persistently } from "./outbox.js";
import { spectrumOf } from "./picture.js";
import { decode } from "./sound.js";

const KEPT = 12;

export class Clips {
  constructor(transport, report) {
    this.transport = transport;
    this.report = report;
    this.loading = new Map();
  }

  /** An item's clip with a margin in s; see `picture.draw`. Rejects with Refused if its sound cannot be read. */
  get(item, margin) {
    return this.once(`${item.item} ${margin}`, () => this.transport.sound(item.item, margin), {
      start: item.start_s,
      end: item.end_s,
      low: item.f_min,
      high: item.f_max,
    });
  }

  /** The clip of a reference. */
  reference(found) {
    return this.once(`reference ${found.number}`, () => this.transport.referenceSound(found.number), {
      start: found.start,
      end: found.end,
      low: found.low,
      high: found.high,
    });
  }

  /** Load the clips of items that will probably come next. */
  ahead(items, margin) {
    // A failure shows when the clip's turn comes.
    for (const item of items) this.get(item, margin).catch(() => {});
  }

  once(key, load, box) {
    const known = this.loading.get(key);
    if (known) {
      // The last used are the last in the map.
      this.loading.delete(key);
      this.loading.set(key, known);
      return known;
    }
    const clip = persistently(load, this.report).then((sound) => this.made(sound, box));
    clip.catch(() => this.loading.delete(key));
    this.loading.set(key, clip);
    for (const old of this.loading.keys()) {
      if (this.loading.size <= KEPT) break;
      this.loading.delete(old);
    }
    return clip;
  }

  async made(sound, box) {
    const samples = await decode(sound.bytes).catch((error) => {
      throw new Refused(`the browser cannot decode this sound (${error.message})`);
    });
    const { rate, start } = sound;
    const clip = { samples, rate, start, end: start + samples.length / rate, box, note: sound.note };
    spectrumOf(clip, clip.start, clip.end);
    return clip;
  }
}
