// Sends answers, again and again until they are on disk. The browser keeps one that is not, also if the tab closes.

import { Refused } from "./http.js";

const SECONDS_BETWEEN_TRIES = 1;

const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Call `task` until it succeeds or is refused; `report` gets the reason of each failure, and "" in the end. */
export async function persistently(task, report) {
  for (;;) {
    try {
      const result = await task();
      report("");
      return result;
    } catch (error) {
      if (error instanceof Refused) throw error;
      report(error.message);
      await wait(SECONDS_BETWEEN_TRIES);
    }
  }
}

export class Outbox {
  constructor(transport, review, reviewer, report) {
    this.transport = transport;
    this.report = report;
    this.key = `dawnchorus unsaved ${review} ${reviewer}`;
  }

  /** Send an answer; resolves with it when it is on disk. Rejects with Refused if the server will never take it. */
  async send(answer) {
    this.keep(answer);
    try {
      return await persistently(
        () => this.transport.send(answer),
        (reason) => this.report(reason && `Not saved yet, and tried again every second: ${reason}`),
      );
    } finally {
      localStorage.removeItem(this.key);
    }
  }

  /** Keep an answer in the browser until it is on disk. */
  keep(answer) {
    try {
      localStorage.setItem(this.key, JSON.stringify(answer));
    } catch {
      // A browser without storage still sends it; it only cannot outlast its tab.
    }
  }

  /** Send what an earlier visit could not save. */
  async sendRest() {
    const kept = localStorage.getItem(this.key);
    return kept ? this.send(JSON.parse(kept)) : null;
  }
}
