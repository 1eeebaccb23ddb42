// The curve of precision above a score, as SVG, with one mark for each answer.

const NS = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [300, 170, 30, 32, 12, 8];

function add(parent, name, attributes, text) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

/** Draw what the answers say: {points: [{score, precision, low, high}], present, absent (scores), threshold, goal}. */
export function drawCurve(element, found) {
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "precision of the detections above a score, by score");
  const x = (score) => LEFT + score * (WIDTH - LEFT - RIGHT);
  const y = (precision) => HEIGHT - BOTTOM - precision * (HEIGHT - BOTTOM - TOP);
  for (const value of [0, 0.5, 1]) {
    add(svg, "line", { class: "grid", x1: x(0), x2: x(1), y1: y(value), y2: y(value) });
    add(svg, "text", { x: x(0) - 4, y: y(value) + 3, "text-anchor": "end" }, value);
    add(svg, "text", { x: x(value), y: HEIGHT - BOTTOM + 22, "text-anchor": "middle" }, value);
  }
  add(svg, "text", { x: x(0.75), y: HEIGHT - BOTTOM + 22, "text-anchor": "middle" }, "score");
  const { points, goal, threshold } = found;
  if (points.length) {
    // A point holds for every score down to the next answer's below it.
    const step = (point, i, value) => {
      const from = x(i ? points[i - 1].score : 0);
      return `${from},${y(point[value])} ${x(point.score)},${y(point[value])}`;
    };
    const steps = (value) => points.map((point, i) => step(point, i, value));
    const back = steps("low").map((part) => part.split(" ").reverse().join(" ")).reverse();
    add(svg, "polygon", { class: "interval", points: [...steps("high"), ...back].join(" ") });
    add(svg, "polyline", { class: "estimate", points: steps("precision").join(" ") });
  }
  if (goal !== null) add(svg, "line", { class: "goal", x1: x(0), x2: x(1), y1: y(goal), y2: y(goal) });
  const upright = (name, score, y1, y2) => add(svg, "line", { class: name, x1: x(score), x2: x(score), y1, y2 });
  if (threshold !== null) upright("threshold", threshold, y(0), y(1));
  // Present answers are marked at the top, absent ones at the bottom.
  for (const score of found.present) upright("present", score, y(1) - 8, y(1) - 1);
  for (const score of found.absent) upright("absent", score, y(0) + 1, y(0) + 8);
  element.replaceChildren(svg);
}

/** A sentence about the curve. */
export function curveText(found) {
  const n = found.present.length + found.absent.length;
  if (!n) return "No answer yet.";
  const parts = [`${found.present.length} present, ${found.absent.length} absent.`];
  if (found.threshold !== null) {
    const at = found.points.find((point) => point.score >= found.threshold);
    const name = `the threshold ${found.threshold.toFixed(3)}`;
    const interval = at && `${percent(at.precision)} (${percent(at.low)} to ${percent(at.high)})`;
    parts.push(at ? `Above ${name}: ${interval}.` : `No answer above ${name} yet.`);
  }
  parts.push(found.is_weighted ? "Weighted as drawn." : "Not a random sample, so not the model's precision.");
  return parts.join(" ");
}

const percent = (part) => `${Math.round(part * 100)} %`;
