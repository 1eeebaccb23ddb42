// The section "Look and listen": players whose cursors move over spectrograms, and the filter of sounds.
(() => {
  "use strict";
  const cards = [...document.querySelectorAll(".ex-card")];
  const groups = [...document.querySelectorAll(".ex-group")];
  const filter = document.querySelector(".ex-filter");
  let playing = null;

  for (const card of cards) {
    const [audio, button, range, cursor, picture] = ["audio", ".ex-play", ".ex-position", ".ex-cursor", ".ex-picture"]
      .map((selector) => card.querySelector(selector));
    const seconds = Number(card.dataset.seconds);
    const slower = Number(card.dataset.slower);
    const start = Number(card.dataset.start);
    const name = button.getAttribute("aria-label");

    const show = () => {
      const time = Math.min(audio.currentTime, seconds);
      cursor.hidden = false;
      cursor.style.left = `${(100 * time) / seconds}%`;
      range.value = time;
      range.setAttribute("aria-valuetext", `${(start + time / slower).toFixed(1)} s in the recording`);
    };
    const follow = () => {
      show();
      if (!audio.paused && !audio.ended) requestAnimationFrame(follow);
    };
    const seek = (time) => {
      audio.currentTime = Math.max(0, Math.min(time, seconds - 0.01));
      show();
    };
    const note = (isPlaying) => {
      button.classList.toggle("ex-playing", isPlaying);
      button.setAttribute("aria-label", isPlaying ? name.replace("Play", "Pause") : name);
    };

    audio.controls = false;
    audio.hidden = true;
    button.hidden = false;
    range.hidden = false;
    button.addEventListener("click", () => {
      if (!audio.paused) {
        audio.pause();
        return;
      }
      audio.play().catch((error) => {
        // A second click before the first sample is no error.
        if (error.name === "AbortError") return;
        button.disabled = true;
        button.setAttribute("aria-label", `This browser cannot play the sound: ${error.message}`);
      });
    });
    audio.addEventListener("play", () => {
      if (playing && playing !== audio) playing.pause();
      playing = audio;
      note(true);
      requestAnimationFrame(follow);
    });
    audio.addEventListener("pause", () => note(false));
    audio.addEventListener("ended", () => {
      note(false);
      show();
    });
    range.addEventListener("input", () => seek(Number(range.value)));
    picture.addEventListener("click", (event) => {
      const place = picture.getBoundingClientRect();
      seek(((event.clientX - place.left) / place.width) * seconds);
    });
  }

  if (!filter) return;
  const [species, output, all] = ["species", "output", "all"].map((name) =>
    name === "output" ? filter.querySelector("output") : filter.elements[name]);
  const apply = () => {
    const kinds = new Set([...filter.querySelectorAll("[name=kind]:checked")].map((box) => box.value));
    let shown = 0;
    for (const group of groups) {
      const isChosen = !species.value || species.value === group.id;
      for (const card of group.querySelectorAll(".ex-card")) {
        card.hidden = !kinds.has(card.dataset.kind);
        if (isChosen && !card.hidden) shown += 1;
      }
      group.hidden = !isChosen;
    }
    if (species.value) document.getElementById(species.value).open = true;
    output.textContent = `${shown} of ${cards.length} sounds`;
  };
  filter.hidden = false;
  filter.addEventListener("submit", (event) => event.preventDefault());
  filter.addEventListener("change", apply);
  all.addEventListener("click", () => {
    const isOpening = groups.some((group) => !group.open && !group.hidden);
    for (const group of groups) group.open = isOpening;
    all.textContent = isOpening ? "Close all" : "Open all";
  });
  apply();
})();
