// The review page: shows one clip after the other, and saves an answer before it shows the next.

import { actions } from "./actions.js";
import { Clips } from "./clips.js";
import { curveText, drawCurve } from "./curve.js";
import { askNote, askOther, askReviewer, showHelp, speciesName } from "./dialogs.js";
import { HttpTransport, Refused } from "./http.js";
import { Keys } from "./keys.js";
import { OfflineTransport } from "./offline.js";
import { Outbox, persistently } from "./outbox.js";
import { Queue } from "./queue.js";
import { References } from "./references.js";
import { play, position, stop } from "./sound.js";
import { View, nextMargin } from "./view.js";

const AHEAD = 4;
const SPEEDS = { 1: 1, 2: 1 / 2, 3: 1 / 10 };
const WORDS = { present: "present", absent: "absent", unsure: "unsure", other: "other species" };

const byId = (id) => document.getElementById(id);
const data = byId("offline-data");
const transport = data ? new OfflineTransport(data) : new HttpTransport();

const problems = new Map();

/** A function that shows why something does not work just now; "" when it does again. */
const problem = (what) => (text) => {
  problems.set(what, text);
  const shown = [...problems.values()].filter(Boolean);
  byId("problem").textContent = shown.join(" ");
  byId("problem").hidden = !shown.length;
};
const clips = new Clips(transport, problem("sound"));
const references = new References(byId("references"), transport, clips, problem("references"));
const view = new View(byId("picture"), byId("cursor"));
view.usualBand = () => references.band();
references.speed = () => now.speed;

// What is shown, and what applies to it. `isBusy`: an answer is on its way to the disk.
const now = { item: null, clip: null, note: "", since: 0, isBusy: false, turn: 0 };
Object.assign(now, { margin: 1.5, speed: 1, isFiltered: false, isAuto: false });
// Items that were shown, the last one last.
const seen = [];
let review, queue, reviewer, outbox, species;

const keys = new Keys(
  actions({
    answer,
    answerOther,
    writeNote,
    undo,
    skip,
    back,
    playOrStop: () => (position() ? stop() : playClip()),
    setSpeed,
    toggleFilter,
    toggleAuto,
    playReference: () => references.playNext(),
    widen,
    zoom: (factor) => view.zoom(factor),
    pan: (part) => view.pan(part),
    nextBand: () => view.nextBand(),
    contrast: (step) => view.changeContrast(step),
    toggleMel: () => mark("mel", view.toggleMel()),
    chooseFilters: () => byId("filter-species").focus(),
    showHelp,
  }),
);
const mark = (id, isOn) => keys.buttons.get(id).setAttribute("aria-pressed", String(isOn));

async function start() {
  keys.fill(byId("tools"), "tools");
  keys.fill(byId("verdicts"), "verdicts");
  keys.help(byId("help-keys"));
  mark("speed1", true);
  review = await persistently(() => transport.review(), problem("page"));
  species = new Map(review.species.map((each) => [each.species, each]));
  byId("review-name").textContent = document.title = `Review ${review.name}`;
  for (const id of ["curve-section", "agreement-section"]) byId(id).hidden = transport.isOffline;
  // An exported page has the sound that it has.
  for (const id of ["wider", "narrower"]) keys.buttons.get(id).hidden = transport.isOffline;
  byId("save-file").hidden = !transport.isOffline;
  byId("save-file").addEventListener("click", saveFile);
  byId("help-button").addEventListener("click", showHelp);
  byId("reviewer").addEventListener("click", () => now.isBusy || begin(true));
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").addEventListener("change", applyFilters);
  // The cookie has the token by now; the address need not show it.
  if (!transport.isOffline) history.replaceState(null, "", location.pathname);
  listenToPointer();
  await begin(false);
}

/** Begin with a reviewer: what an earlier visit could not save comes first. */
async function begin(isNew) {
  const name = await askReviewer(review.reviewers, isNew);
  if (name === reviewer) return;
  const mine = new Outbox(transport, review.id, name, problem("answer"));
  const rest = await mine.sendRest().catch((error) => void problem("page")(error.message));
  const answers = await persistently(() => transport.answers(name), problem("page"));
  [reviewer, outbox] = [name, mine];
  byId("reviewer").textContent = name;
  queue = new Queue(review.items, answers);
  if (rest) queue.record(rest);
  now.item = null;
  seen.length = 0;
  listSpecies();
  applyFilters();
  if (rest) byId("status").textContent = `Saved an answer of your last visit: item ${rest.item} ${rest.answer}.`;
}

function listSpecies() {
  const select = byId("filter-species");
  const chosen = select.value;
  const counts = queue.bySpecies();
  const option = (value, text) => Object.assign(document.createElement("option"), { value, textContent: text });
  const rows = [...counts].map(([code, { done, all }]) => option(code, `${nameOf(code)} ${done}/${all}`));
  select.replaceChildren(option("", "all"), ...rows);
  select.value = counts.has(chosen) ? chosen : "";
}

const nameOf = (code) => speciesName(species.get(code) || { species: code });

function applyFilters() {
  const number = (id, otherwise) => (byId(id).value === "" ? otherwise : Number(byId(id).value));
  queue.filters = {
    species: byId("filter-species").value,
    state: byId("filter-state").value,
    low: number("filter-low", 0),
    high: number("filter-high", 1),
  };
  if (now.item && queue.shows(now.item)) showProgress();
  else show(queue.after(null)[0] || null);
}

/** Show an item, or that there is none. */
async function show(item, sinceKey = null) {
  stop();
  if (now.item && now.item !== item) seen.push(now.item);
  const turn = ++now.turn;
  // Shown again with another margin, it keeps a note that is not saved yet, and the time since it was first shown.
  const isSame = item !== null && now.item === item;
  Object.assign(now, { item, clip: null, note: isSame ? now.note : queue.answers.get(item?.item)?.note || "" });
  describe(item);
  if (!item) {
    view.show(null);
    showProgress();
    return;
  }
  let clip = null;
  try {
    clip = await clips.get(item, now.margin);
  } catch (error) {
    if (now.turn !== turn) return;
    view.show(null);
    empty(`${error.message}. Skip this clip (S).`);
  }
  // The reviewer may have gone on while it was loading.
  if (now.turn !== turn) return;
  now.clip = clip;
  if (!isSame) now.since = performance.now();
  if (clip) {
    view.show(clip);
    if (clip.note) byId("clip-place").append(` · ${clip.note}`);
    if (sinceKey !== null) requestAnimationFrame(() => performance.measure("key to next clip", { start: sinceKey }));
    if (now.isAuto) playClip();
  }
  document.body.dataset.shown = item.item;
  showProgress();
  clips.ahead(queue.after(item, AHEAD), now.margin);
  references.show(item.species);
  showCurve();
}

function empty(text) {
  byId("empty").textContent = text;
  byId("empty").hidden = !text;
}

/** Write what is known of an item above its picture. */
function describe(item) {
  delete document.body.dataset.shown;
  empty(item ? "" : "No clip is left that the filters show. Choose others above (/).");
  byId("clip-title").textContent = item ? nameOf(item.species) : "";
  // Who knows the score answers by it; a measurement would only find that again.
  const isBlind = review.purpose === "measure" && !queue.answers.has(item?.item);
  const parts = item
    ? [
        isBlind ? "" : `score ${item.score.toFixed(3)}`,
        isBlind || item.probability === null ? "" : `probability ${item.probability.toFixed(2)}`,
        `${item.recording_id}, ${item.start_s.toFixed(2)} to ${item.end_s.toFixed(2)} s`,
        [item.site, item.clock_time].filter(Boolean).join(", "),
        `item ${item.item}`,
      ]
    : [];
  byId("clip-place").textContent = parts.filter(Boolean).join(" · ");
  showOwn();
}

/** Show the reviewer's own answer and note, if the clip has one. */
function showOwn() {
  const own = now.item && queue.answers.get(now.item.item);
  for (const id of Object.keys(WORDS)) mark(id, own?.answer === id);
  const others = own?.other_species?.length ? `: ${own.other_species.map(nameOf).join(", ")}` : "";
  const parts = [own ? `You answered ${WORDS[own.answer]}${others}.` : "", now.note ? `Note: ${now.note}` : ""];
  byId("own-note").textContent = parts.filter(Boolean).join(" ");
}

function showProgress() {
  const { done, all } = queue.progress();
  byId("progress-text").textContent = `${done} of ${all}`;
  byId("progress").value = all ? done / all : 0;
}

async function answer(verdict, others = []) {
  // What has not been shown cannot be answered.
  if (!now.clip || now.isBusy) return;
  const { item } = now;
  const entry = {
    item: item.item,
    species: item.species,
    answer: verdict,
    other_species: others,
    reviewer,
    note: now.note,
    seconds: Math.round((performance.now() - now.since) / 100) / 10,
  };
  // A note stays with the answer, so a pressed key stands for all that is on the page.
  await save(entry, () => queue.after(item)[0] || null, `Saved: item ${item.item} ${WORDS[verdict]}.`);
}

async function undo() {
  const last = queue?.last();
  if (!last) {
    byId("status").textContent = "There is no answer of yours to take back.";
    return;
  }
  const item = queue.items[queue.rows.get(last.item)];
  const entry = { item: last.item, species: item.species, answer: "undone", reviewer };
  await save(entry, () => item, `Taken back: item ${item.item} ${WORDS[last.answer]}.`);
}

/** Save an answer; when it is on disk, show what `next` returns. */
async function save(entry, next, message) {
  if (now.isBusy) return;
  const pressed = performance.now();
  now.isBusy = document.body.dataset.busy = true;
  try {
    await outbox.send(entry);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    byId("status").textContent = `Refused, and not saved: ${error.message}`;
    return;
  } finally {
    now.isBusy = false;
    delete document.body.dataset.busy;
  }
  queue.record(entry);
  byId("status").textContent = message;
  await show(next(), pressed);
  listSpecies();
}

async function answerOther() {
  if (!now.clip || now.isBusy) return;
  const { item } = now;
  const chosen = await askOther(review.species, item.species, queue.answers.get(item.item)?.other_species || []);
  if (chosen && now.item === item) await answer("other", chosen);
}

async function writeNote() {
  if (!now.item || now.isBusy) return;
  now.note = await askNote(now.note);
  showOwn();
}

function skip() {
  if (!now.isBusy && now.item) show(queue.after(now.item)[0] || now.item);
}

/** Show the clip that was shown before, answered or not. */
function back() {
  if (now.isBusy) return;
  const item = seen.pop();
  if (!item) {
    byId("status").textContent = "There is no earlier clip.";
    return;
  }
  // It is not a step that the next `back` returns from.
  now.item = null;
  show(item);
}

function playClip(from = null) {
  const { clip } = now;
  if (!clip) return;
  const band = now.isFiltered ? view.callBand() : null;
  play(clip, (from ?? view.from) - clip.start, view.to - clip.start, now.speed, band);
  follow();
}

/** Move the cursor while the clip plays. */
function follow() {
  const found = position();
  const isClip = found && found.sound === now.clip;
  view.moveCursor(isClip ? now.clip.start + found.at : null);
  if (isClip) requestAnimationFrame(follow);
}

function setSpeed(number) {
  now.speed = SPEEDS[number];
  for (const each of Object.keys(SPEEDS)) mark(`speed${each}`, each === String(number));
  if (position()) playClip();
}

function toggleFilter() {
  if (now.clip && !view.callBand()) byId("status").textContent = "The band of this call is not known.";
  now.isFiltered = !now.isFiltered;
  mark("filter", now.isFiltered);
  if (position()) playClip();
}

function toggleAuto() {
  now.isAuto = !now.isAuto;
  mark("auto", now.isAuto);
}

/** Show more (1) or less (-1) of the recording around the box. */
function widen(step) {
  if (transport.isOffline) return;
  now.margin = nextMargin(now.margin, step);
  if (now.item && !now.isBusy) show(now.item);
}

async function showCurve() {
  if (transport.isOffline) return;
  const code = now.item.species;
  const load = () => Promise.all([transport.curve(code, reviewer), transport.agreement()]);
  const [found, pairs] = await persistently(load, problem("curve"));
  if (now.item?.species !== code) return;
  byId("curve-title").textContent = `Precision above a score: ${code}`;
  drawCurve(byId("curve"), found);
  byId("curve-text").textContent = curveText(found);
  const sentences = pairs.map((pair) => `${pair}.`);
  byId("agreement").textContent = sentences.join(" ") || "Nobody else has answered the same clips.";
}

function saveFile() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([transport.file()], { type: "application/jsonl" }));
  link.download = `${review.name}-${reviewer}-answers.jsonl`.replaceAll(/[^\w.-]+/g, "_");
  link.click();
  URL.revokeObjectURL(link.href);
  byId("status").textContent = `Saved ${link.download}. Give it to \`dawnchorus review import\`.`;
}

function listenToPointer() {
  const frame = byId("picture-frame");
  frame.addEventListener("click", (event) => {
    const time = view.timeAt(event);
    if (time !== null) playClip(time);
  });
  frame.addEventListener(
    "wheel",
    (event) => {
      const time = view.timeAt(event);
      if (time === null) return;
      event.preventDefault();
      view.zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, time);
    },
    { passive: false },
  );
}

start().catch((error) => problem("page")(error.message));
