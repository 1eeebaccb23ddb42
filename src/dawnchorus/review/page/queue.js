// The items of a review, which of them the filters show, and the reviewer's own answers. No page, no network.

export class Queue {
  /** columns: of the items, arrays by name; answers: the reviewer's own, oldest first. */
  constructor(columns, answers) {
    const names = Object.keys(columns);
    this.items = columns.item.map((_, row) => Object.fromEntries(names.map((name) => [name, columns[name][row]])));
    this.answers = new Map();
    for (const answer of answers) this.answers.set(answer.item, answer);
    this.rows = new Map(this.items.map((item, row) => [item.item, row]));
    this.filters = { species: "", state: "open", low: 0, high: 1 };
  }

  /** Whether the filters show an item. */
  shows(item) {
    const { species, state, low, high } = this.filters;
    if (species && item.species !== species) return false;
    if (item.score < low || item.score > high) return false;
    return state === "all" || (state === "answered") === this.answers.has(item.item);
  }

  /** Up to `count` items behind an item that the filters show, without itself; the first follows the last. */
  after(current, count = 1) {
    const start = current ? this.rows.get(current.item) : -1;
    const found = [];
    const length = this.items.length;
    for (let n = 1; n <= length && found.length < count; n++) {
      const item = this.items[(start + n) % length];
      if (item !== current && this.shows(item)) found.push(item);
    }
    return found;
  }

  /** Take note of an answer that is on disk. */
  record(answer) {
    // Deleted first, so that the newest is the last.
    this.answers.delete(answer.item);
    if (answer.answer !== "undone") this.answers.set(answer.item, answer);
  }

  /** The reviewer's last answer, or undefined. */
  last() {
    return [...this.answers.values()].at(-1);
  }

  /** {done, all} of the items that the filters show, whether answered or not. */
  progress() {
    const { state } = this.filters;
    this.filters.state = "all";
    const shown = this.items.filter((item) => this.shows(item));
    this.filters.state = state;
    return { done: shown.filter((item) => this.answers.has(item.item)).length, all: shown.length };
  }

  /** Number of items and of answered ones by species: Map of code to {done, all}. */
  bySpecies() {
    const found = new Map();
    for (const item of this.items) {
      const count = found.get(item.species) || { done: 0, all: 0 };
      count.all += 1;
      count.done += this.answers.has(item.item) ? 1 : 0;
      found.set(item.species, count);
    }
    return found;
  }
}
