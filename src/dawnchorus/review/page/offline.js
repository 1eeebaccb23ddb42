// The transport of a page that `dawnchorus review export` wrote: all sound is in the page, answers stay in the browser
// until the reviewer saves them as a file.

const bytesOf = (element) => Uint8Array.from(atob(element.textContent.trim()), (letter) => letter.charCodeAt(0)).buffer;

export class OfflineTransport {
  isOffline = true;

  constructor(element) {
    this.data = JSON.parse(element.textContent);
    this.key = `dawnchorus answers ${this.data.review.id}`;
  }

  /** All answers of all reviewers in this browser, oldest first. */
  lines() {
    return JSON.parse(localStorage.getItem(this.key) || "[]");
  }

  async review() {
    return { ...this.data.review, reviewers: [...new Set(this.lines().map((line) => line.reviewer))] };
  }

  async answers(reviewer) {
    return this.lines().filter((line) => line.reviewer === reviewer);
  }

  async send(answer) {
    const saved = { ...answer, time: new Date().toISOString() };
    try {
      localStorage.setItem(this.key, JSON.stringify([...this.lines(), saved]));
    } catch (error) {
      throw new Error(`this browser keeps no more answers (${error.message}); save them as a file`);
    }
    return saved;
  }

  /** The content of the file for `dawnchorus review import`. */
  file() {
    const lines = [{ review: this.data.review.id }, ...this.lines()];
    return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  }

  async sound(item) {
    return { ...this.data.sounds[item], bytes: bytesOf(document.getElementById(`sound-${item}`)) };
  }

  async references(species) {
    return this.data.references[species] || [];
  }

  async referenceSound(number) {
    return { ...this.data.reference_sounds[number], bytes: bytesOf(document.getElementById(`reference-${number}`)) };
  }
}
