// Draws a spectrogram with its axes and the box of the item on a canvas.

import { frequencyAxis, levelRange, paint, palette, powerSpectrum } from "./spectrogram.js";

const MOST_FRAMES = 1000;
const isDark = matchMedia("(prefers-color-scheme: dark)");

/** A canvas' pixels a CSS pixel, and its size in CSS pixels; the canvas gets that many pixels. */
export function fit(canvas) {
  const scale = Math.min(2, window.devicePixelRatio || 1);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  return { scale, width, height };
}

/** The rectangle of the plot within a canvas, without the margins for the axes, in CSS pixels. */
export function plotArea({ width, height }) {
  return { x: 42, y: 6, width: Math.max(1, width - 50), height: Math.max(1, height - 34) };
}

/** A round step, so that about `count` of them cover a range. */
export function roundStep(range, count) {
  const rough = range / count;
  const power = 10 ** Math.floor(Math.log10(rough) + 1e-9);
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough) || rough;
}

/** The multiples of a step within a range. */
export function multiples(from, to, step) {
  const found = [];
  for (let n = Math.ceil(from / step - 1e-9); n * step <= to + 1e-9 * step; n++) found.push(n * step);
  return found;
}

const decimals = (step) => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));

/** Compute a clip's spectrum of a time range, once. */
export function spectrumOf(clip, from, to) {
  const key = `${from} ${to}`;
  if (clip.spectrumKey !== key) {
    const [first, last] = [from, to].map((time) => Math.round((time - clip.start) * clip.rate));
    clip.spectrum = powerSpectrum(clip.samples, first, last, clip.rate, MOST_FRAMES);
    clip.spectrumKey = key;
  }
  return clip.spectrum;
}

/**
 * Draw a clip.
 *
 * clip: {samples, rate, start, box: {start, end, low, high}}; times in s in the recording, frequencies in Hz or null.
 * view: {from, to (s), low, high (Hz), isMel, contrast}: what is shown; contrast is the level above the noise, dB, that
 * has the faintest colour.
 */
export function draw(canvas, clip, view) {
  const size = fit(canvas);
  const area = plotArea(size);
  const pen = canvas.getContext("2d");
  const spectrum = spectrumOf(clip, view.from, view.to);
  const axis = frequencyAxis(view.low, view.high, view.isMel);
  const { box } = clip;
  // The call, not the wind below it, should fill the range of colours.
  const { noise, loud } = levelRange(spectrum, clip.rate, box.low ?? view.low, box.high ?? view.high);
  const image = pen.createImageData(Math.round(area.width * size.scale), Math.round(area.height * size.scale));
  paint(image, spectrum, clip.rate, axis, Math.min(noise + view.contrast, loud - 6), loud, palette(isDark.matches));
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.putImageData(image, Math.round(area.x * size.scale), Math.round(area.y * size.scale));
  pen.setTransform(size.scale, 0, 0, size.scale, 0, 0);
  drawAxes(pen, area, axis, view, getComputedStyle(canvas));
  drawBox(pen, area, axis, view, box);
}

function drawAxes(pen, area, axis, view, style) {
  pen.fillStyle = pen.strokeStyle = style.color;
  pen.font = `11px ${style.fontFamily}`;
  pen.lineWidth = 1;
  pen.strokeRect(area.x - 0.5, area.y - 0.5, area.width + 1, area.height + 1);
  const bottom = area.y + area.height;
  const step = roundStep(view.to - view.from, Math.max(2, area.width / 90));
  pen.textAlign = "center";
  pen.textBaseline = "top";
  for (const time of multiples(view.from, view.to, step)) {
    const x = area.x + ((time - view.from) / (view.to - view.from)) * area.width;
    pen.fillRect(Math.round(x), bottom, 1, 4);
    if (x < area.x + area.width - 24) pen.fillText(time.toFixed(decimals(step)), x, bottom + 6);
  }
  pen.textAlign = "right";
  pen.fillText("s", area.x + area.width + 6, bottom + 6);
  pen.textBaseline = "middle";
  const hertz = axisTicks(axis, Math.max(2, area.height / 45));
  for (const value of hertz.values) {
    const y = bottom - axis.at(value) * area.height;
    pen.fillRect(area.x - 4, Math.round(y), 4, 1);
    if (y > area.y + 16) pen.fillText(hertz.text(value), area.x - 6, Math.min(y, bottom - 5));
  }
  pen.textBaseline = "top";
  pen.fillText("kHz", area.x - 6, area.y - 2);
}

/** Frequencies to label, Hz: evenly spaced on a linear axis, 1, 2, 5, 10 ... where a mel axis crowds them. */
function axisTicks(axis, count) {
  const step = roundStep(axis.high - axis.low, count);
  const even = multiples(axis.low, axis.high, step);
  const isLinear = Math.abs(axis.at((axis.low + axis.high) / 2) - 0.5) < 1e-6;
  const digits = Math.max(0, -Math.floor(Math.log10(step / 1000) + 1e-9));
  const evenly = { values: even, text: (hz) => (hz / 1000).toFixed(digits) };
  if (isLinear) return evenly;
  const round = [0, 0.25, 0.5, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192].map((khz) => khz * 1000);
  const inside = round.filter((hz) => hz >= axis.low && hz <= axis.high);
  // A narrow band has too few of them.
  return inside.length >= 4 ? { values: inside, text: (hz) => String(hz / 1000) } : evenly;
}

function drawBox(pen, area, axis, view, box) {
  const x = (time) => area.x + ((time - view.from) / (view.to - view.from)) * area.width;
  const y = (hz) => area.y + (1 - axis.at(hz)) * area.height;
  const [left, right] = [x(box.start), x(box.end)];
  const [top, bottom] = [y(box.high ?? view.high), y(box.low ?? view.low)];
  pen.save();
  pen.beginPath();
  pen.rect(area.x, area.y, area.width, area.height);
  pen.clip();
  // A halo and a colour that neither palette has are seen on every background.
  const [halo, line] = isDark.matches ? ["#000", "#56b4e9"] : ["#fff", "#d55e00"];
  for (const [width, colour] of [[5, halo], [2, line]]) {
    pen.lineWidth = width;
    pen.strokeStyle = colour;
    pen.strokeRect(left, top, right - left, bottom - top);
  }
  pen.restore();
}
