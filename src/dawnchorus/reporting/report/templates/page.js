"use strict";
// Tables get buttons to sort by, and a field to filter their rows if there are many. Without scripts they are plain.
(() => {
  const MANY = 8;

  function compare(first, second) {
    const numbers = [Number(first), Number(second)];
    if (numbers.some(Number.isNaN)) return first.localeCompare(second, "en", { numeric: true });
    return numbers[0] - numbers[1];
  }

  function sort(table, index, direction) {
    const body = table.tBodies[0];
    const key = (row) => row.cells[index].dataset.sort ?? row.cells[index].textContent.trim();
    const rows = [...body.rows].sort((first, second) => {
      const [a, b] = [key(first), key(second)];
      // What is not known comes last in both directions.
      if (a === "" || b === "") return (a === "") - (b === "");
      return direction * compare(a, b);
    });
    body.append(...rows);
  }

  function setUp(box) {
    const table = box.querySelector("table");
    const status = document.createElement("span");
    status.setAttribute("role", "status");
    const bar = document.createElement("div");
    bar.className = "filter";

    for (const [index, heading] of [...table.tHead.rows[0].cells].entries()) {
      const label = heading.querySelector(".heading");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label.textContent;
      // The text stays for paper, where buttons are missing from repeated headings.
      label.before(button);
      button.addEventListener("click", () => {
        const before = heading.getAttribute("aria-sort");
        // Numbers are most interesting from the highest down.
        const first = heading.hasAttribute("data-number") ? "descending" : "ascending";
        const other = first === "ascending" ? "descending" : "ascending";
        const order = before === first ? other : first;
        for (const each of heading.parentNode.cells) each.removeAttribute("aria-sort");
        heading.setAttribute("aria-sort", order);
        sort(table, index, order === "ascending" ? 1 : -1);
      });
    }

    const rows = [...table.tBodies[0].rows];
    if (rows.length >= MANY) {
      const label = document.createElement("label");
      label.textContent = "Filter";
      label.htmlFor = `${table.id}-filter`;
      const input = document.createElement("input");
      input.type = "search";
      input.id = label.htmlFor;
      input.addEventListener("input", () => {
        const wanted = input.value.trim().toLowerCase();
        let shown = 0;
        for (const row of rows) {
          row.hidden = !row.textContent.toLowerCase().includes(wanted);
          shown += row.hidden ? 0 : 1;
        }
        status.textContent = `${shown} of ${rows.length} rows`;
      });
      status.textContent = `${rows.length} rows`;
      bar.append(label, input, status);
      box.prepend(bar);
    }
  }

  for (const box of document.querySelectorAll("[data-table]")) setUp(box);

  // Only what scrolls by itself is a stop for the keyboard and a region for screen readers.
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const scrolls = target.scrollWidth > target.clientWidth;
      for (const [name, value] of [["tabindex", "0"], ["role", "region"]]) {
        if (scrolls) target.setAttribute(name, value);
        else target.removeAttribute(name);
      }
    }
  });
  for (const box of document.querySelectorAll(".scroll")) sizes.observe(box);

  // Print the details of warnings, too.
  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll(".remarks details:not([open])")) {
      each.dataset.folded = "";
      each.open = true;
    }
  });
  addEventListener("afterprint", () => {
    for (const each of document.querySelectorAll("details[data-folded]")) {
      delete each.dataset.folded;
      each.open = false;
    }
  });
})();
