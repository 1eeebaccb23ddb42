// The dialogs: the reviewer's name, a note, other species, the keys.

const byId = (id) => document.getElementById(id);

/** Open a dialog; resolves with true if it was confirmed, with false after Esc. */
function ask(id) {
  const dialog = byId(`${id}-dialog`);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    const form = dialog.querySelector("form");
    const confirm = () => {
      dialog.returnValue = "yes";
    };
    // The browser closes a dialog a little later than it takes the next key, which would then go to the dialog.
    const escape = (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      dialog.close();
    };
    form.addEventListener("submit", confirm, { once: true });
    dialog.addEventListener("keydown", escape);
    dialog.addEventListener(
      "close",
      () => {
        form.removeEventListener("submit", confirm);
        dialog.removeEventListener("keydown", escape);
        resolve(dialog.returnValue === "yes");
      },
      { once: true },
    );
  });
}

/** The reviewer's name, from the dialog or an earlier load of this tab. */
export async function askReviewer(known, isNew) {
  const kept = sessionStorage.getItem("reviewer");
  if (kept && !isNew) return kept;
  const option = (value) => Object.assign(document.createElement("option"), { value });
  byId("known-reviewers").replaceChildren(...known.map(option));
  byId("start-name").value = kept || localStorage.getItem("reviewer") || "";
  for (;;) {
    const given = ask("start");
    // Typing replaces the proposed name.
    byId("start-name").select();
    const isGiven = await given;
    const name = byId("start-name").value.trim();
    if (isGiven && name) {
      // Two tabs may have two reviewers; a new tab proposes the last one.
      sessionStorage.setItem("reviewer", name);
      localStorage.setItem("reviewer", name);
      return name;
    }
    if (kept) return kept;
  }
}

/** A note; the present one after Esc. */
export async function askNote(present) {
  byId("note-text").value = present;
  return (await ask("note")) ? byId("note-text").value.trim() : present;
}

export function showHelp() {
  return ask("help");
}

/** A species for people: its common name, its scientific name, and the code where there is nothing else. */
export function speciesName({ species, scientific_name: scientific, common_name: common }) {
  const names = [common, scientific].filter(Boolean).join(" · ");
  return names ? `${names} (${species})` : species;
}

const MOST_LISTED = 50;

/** Codes of other species that the reviewer chose, at least one; null after Esc. */
export async function askOther(all, own, present) {
  const chosen = all.filter((each) => present.includes(each.species));
  const search = byId("other-search");
  const list = byId("other-list");
  let listed = [];
  let marked = 0;

  const showList = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (each) => words.every((word) => speciesName(each).toLowerCase().includes(word));
    listed = all.filter((each) => each.species !== own && !chosen.includes(each) && fits(each)).slice(0, MOST_LISTED);
    marked = Math.max(0, Math.min(marked, listed.length - 1));
    list.replaceChildren(
      ...listed.map((each, row) => {
        const entry = document.createElement("li");
        entry.textContent = speciesName(each);
        entry.id = `other-${row}`;
        entry.setAttribute("role", "option");
        entry.setAttribute("aria-selected", String(row === marked));
        entry.addEventListener("click", () => choose(each));
        return entry;
      }),
    );
    search.setAttribute("aria-activedescendant", listed.length ? `other-${marked}` : "");
    list.children[marked]?.scrollIntoView({ block: "nearest" });
  };
  const showChosen = () => {
    byId("other-chosen").replaceChildren(
      ...chosen.map((each) => {
        const entry = document.createElement("li");
        entry.textContent = `${speciesName(each)} ×`;
        entry.title = "remove";
        entry.addEventListener("click", () => {
          chosen.splice(chosen.indexOf(each), 1);
          showChosen();
          showList();
        });
        return entry;
      }),
    );
    byId("other-save").disabled = !chosen.length;
  };
  const choose = (each) => {
    chosen.push(each);
    search.value = "";
    marked = 0;
    showChosen();
    showList();
    search.focus();
  };
  const press = (event) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      marked += step;
      showList();
    } else if (event.key === "Enter" && (search.value || !chosen.length)) {
      event.preventDefault();
      if (listed.length) choose(listed[marked]);
    } else if (event.key === "Backspace" && !search.value && chosen.length) {
      chosen.pop();
      showChosen();
      showList();
    }
  };

  const type = () => {
    marked = 0;
    showList();
  };
  search.value = "";
  search.addEventListener("input", type);
  search.addEventListener("keydown", press);
  showChosen();
  showList();
  const isGiven = await ask("other");
  search.removeEventListener("input", type);
  search.removeEventListener("keydown", press);
  return isGiven && chosen.length ? chosen.map((each) => each.species) : null;
}
