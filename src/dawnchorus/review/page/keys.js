// Keys and buttons: one table for both, and for the help.

/** rows: {id, key, also, group, label, title, run, toggles}; makes the buttons and listens to keys. */
export class Keys {
  constructor(actions) {
    this.actions = actions;
    this.byKey = new Map(actions.flatMap((action) => [action.key, ...(action.also || [])].map((key) => [key, action])));
    this.buttons = new Map();
    document.addEventListener("keydown", (event) => this.press(event));
  }

  /** Put the buttons of a group into an element. */
  fill(element, group) {
    for (const action of this.actions.filter((each) => each.group === group)) {
      const button = document.createElement("button");
      button.type = "button";
      button.id = `do-${action.id}`;
      button.title = `${action.title} (${shown(action.key)})`;
      const key = document.createElement("kbd");
      key.textContent = shown(action.key);
      const label = document.createElement("span");
      label.textContent = action.label;
      button.append(label, key);
      button.addEventListener("click", () => {
        // A later key must not press the button again.
        button.blur();
        action.run();
      });
      element.append(button);
      this.buttons.set(action.id, button);
    }
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    const isField = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (isField) {
      if (event.key === "Escape" || event.key === "Enter") event.target.blur();
      return;
    }
    // A button that Tab has reached is pressed as everywhere.
    if (event.target instanceof HTMLButtonElement && [" ", "Enter"].includes(event.key)) return;
    const action = this.byKey.get(event.key) || this.byKey.get(event.key.toLowerCase());
    if (!action) return;
    event.preventDefault();
    // A key that is held down answers one clip, not ten.
    if (!event.repeat || action.repeats) action.run(event);
  }

  /** A table of keys for the help. */
  help(element) {
    const list = document.createElement("dl");
    for (const action of this.actions) {
      const term = document.createElement("dt");
      for (const key of [action.key, ...(action.also || [])]) {
        const part = document.createElement("kbd");
        part.textContent = shown(key);
        term.append(part, " ");
      }
      const text = document.createElement("dd");
      text.textContent = action.title;
      list.append(term, text);
    }
    element.replaceChildren(list);
  }
}

const NAMES = { " ": "Space", ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Backspace: "⌫" };
const shown = (key) => {
  if (key.length > 1 || key === " ") return NAMES[key] || key;
  return /[A-Z]/.test(key) ? `⇧${key}` : key.toUpperCase();
};
