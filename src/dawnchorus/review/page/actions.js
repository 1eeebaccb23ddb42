// What a key or a button does: one table for keys, buttons and the help.

/** The table for `Keys`; `on` has the functions. */
export function actions(on) {
  const verdict = (id, key, label, title, run, also = []) => ({ id, key, also, group: "verdicts", label, title, run });
  const tool = (id, key, label, title, run) => ({ id, key, group: "tools", label, title, run });
  // It goes on while its key is held down.
  const repeated = (...row) => ({ ...tool(...row), repeats: true });
  const hidden = (id, key, title, run) => ({ id, key, title, run });
  return [
    verdict("present", "p", "Present", "the species calls in the box", () => on.answer("present"), ["ArrowUp"]),
    verdict("absent", "a", "Absent", "it does not call there", () => on.answer("absent"), ["ArrowDown"]),
    verdict("unsure", "u", "Unsure", "you cannot tell", () => on.answer("unsure")),
    verdict("other", "o", "Other", "it does not call, but other species do", on.answerOther),
    verdict("note", "n", "Note", "write a note to your answer", on.writeNote),
    verdict("undo", "z", "Undo", "take your last answer back", on.undo, ["Backspace"]),
    verdict("skip", "s", "Skip", "next clip without an answer", on.skip, ["ArrowRight"]),
    verdict("back", "ArrowLeft", "Back", "the clip before, answered or not", on.back),
    tool("play", " ", "▶", "play or stop", on.playOrStop),
    tool("speed1", "1", "1×", "play at normal speed", () => on.setSpeed(1)),
    tool("speed2", "2", "½", "play at half speed", () => on.setSpeed(2)),
    tool("speed3", "3", "⅒", "play at a tenth of the speed: makes bats audible", () => on.setSpeed(3)),
    tool("filter", "b", "Band", "play only the frequencies of the call", on.toggleFilter),
    tool("auto", "l", "Auto", "play each clip when it shows", on.toggleAuto),
    tool("reference", "r", "Reference", "play the next reference call", on.playReference),
    tool("wider", "w", "Wider", "more context around the box", () => on.widen(1)),
    tool("narrower", "W", "Narrower", "less context", () => on.widen(-1)),
    repeated("in", "+", "Zoom in", "zoom in on the time of the box", () => on.zoom(0.7)),
    repeated("out", "-", "Zoom out", "zoom out", () => on.zoom(1 / 0.7)),
    repeated("earlier", ",", "Earlier", "move to earlier", () => on.pan(-0.25)),
    repeated("later", ".", "Later", "move to later", () => on.pan(0.25)),
    tool("frequencies", "f", "Frequencies", "usual frequencies, those of the call, or all", on.nextBand),
    repeated("contrast", "c", "Contrast +", "more contrast: hides noise", () => on.contrast(4)),
    repeated("softer", "C", "Contrast −", "less contrast: shows faint calls", () => on.contrast(-4)),
    tool("mel", "m", "Mel", "frequencies on the mel scale or linear", on.toggleMel),
    hidden("filters", "/", "choose what is shown", on.chooseFilters),
    hidden("help", "?", "this help", on.showHelp),
  ];
}
