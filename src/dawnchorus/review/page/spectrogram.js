// The power spectrum of samples over time, and its picture: pure functions on arrays.

/** The number of samples of a frame: about 21 ms, but at most 1,024, so that ultrasound keeps its fast sweeps. */
export function frameLength(rate) {
  return Math.min(1024, Math.max(128, 2 ** Math.round(Math.log2(rate * 0.0213))));
}

/**
 * Compute power in dB.
 *
 * samples: Float32Array; from, to: range of samples; rate in Hz; most: number of frames at most.
 * Returns {levels: Float32Array [frames x bins], frames, bins, hop, first}; frame i is centred on sample first + i hop.
 */
export function powerSpectrum(samples, from, to, rate, most) {
  const size = frameLength(rate);
  const bins = size / 2 + 1;
  const hop = Math.max(1, Math.ceil((to - from) / most));
  const frames = Math.max(1, Math.ceil((to - from) / hop));
  const levels = new Float32Array(frames * bins);
  const { window, transform } = tables(size);
  const first = from + Math.floor(hop / 2);
  const real = new Float32Array(size);
  const imaginary = new Float32Array(size);
  // One complex transform does two frames of real samples: their spectra are its even and odd parts.
  for (let frame = 0; frame < frames; frame += 2) {
    const start = first + frame * hop - size / 2;
    for (let i = 0; i < size; i++) {
      real[i] = (samples[start + i] || 0) * window[i];
      imaginary[i] = (samples[start + hop + i] || 0) * window[i];
    }
    transform(real, imaginary);
    const hasTwo = frame + 1 < frames;
    for (let bin = 0; bin < bins; bin++) {
      const other = (size - bin) % size;
      const at = frame * bins + bin;
      levels[at] = decibels(real[bin] + real[other], imaginary[bin] - imaginary[other]);
      if (hasTwo) levels[at + bins] = decibels(imaginary[bin] + imaginary[other], real[other] - real[bin]);
    }
  }
  return { levels, frames, bins, hop, first };
}

const decibels = (real, imaginary) => 10 * Math.log10((real * real + imaginary * imaginary) / 4 + 1e-12);

const made = new Map();

/** The Hann window and the transform for a length, made once. */
function tables(size) {
  if (!made.has(size)) {
    const window = Float32Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
    made.set(size, { window, transform: fourier(size) });
  }
  return made.get(size);
}

/** A function that replaces arrays of real and imaginary parts by their Fourier transform (radix 2, in place). */
function fourier(size) {
  const cosines = Float32Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size));
  const sines = Float32Array.from({ length: size / 2 }, (_, i) => Math.sin((2 * Math.PI * i) / size));
  const reversed = new Uint32Array(size);
  for (let i = 1; i < size; i++) reversed[i] = (reversed[i >> 1] >> 1) | (i & 1 ? size >> 1 : 0);
  return (real, imaginary) => {
    for (let i = 0; i < size; i++) {
      const j = reversed[i];
      if (j > i) {
        [real[i], real[j]] = [real[j], real[i]];
        [imaginary[i], imaginary[j]] = [imaginary[j], imaginary[i]];
      }
    }
    for (let half = 1; half < size; half *= 2) {
      const step = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let i = start, k = 0; i < start + half; i++, k += step) {
          const j = i + half;
          const a = real[j] * cosines[k] + imaginary[j] * sines[k];
          const b = imaginary[j] * cosines[k] - real[j] * sines[k];
          real[j] = real[i] - a;
          imaginary[j] = imaginary[i] - b;
          real[i] += a;
          imaginary[i] += b;
        }
      }
    }
  };
}

const toMel = (hz) => 2595 * Math.log10(1 + hz / 700);
const toHertz = (mel) => 700 * (10 ** (mel / 2595) - 1);

/** A frequency axis: `at(hz)` is the position from 0 (lowest) to 1, `hertz(position)` its inverse. */
export function frequencyAxis(low, high, isMel) {
  if (!isMel) return { low, high, at: (hz) => (hz - low) / (high - low), hertz: (at) => low + at * (high - low) };
  const [bottom, top] = [toMel(low), toMel(high)];
  return {
    low,
    high,
    at: (hz) => (toMel(hz) - bottom) / (top - bottom),
    hertz: (at) => toHertz(bottom + at * (top - bottom)),
  };
}

/** The level of the noise (median) and of the loudest sounds (quantile 0.998) in a frequency band, in dB. */
export function levelRange(spectrum, rate, low, high) {
  const perBin = rate / 2 / (spectrum.bins - 1);
  const from = Math.max(0, Math.floor(low / perBin));
  const to = Math.min(spectrum.bins, Math.max(from + 1, Math.ceil(high / perBin)));
  const step = Math.max(1, Math.floor((spectrum.frames * (to - from)) / 20000));
  const found = [];
  let count = 0;
  for (let frame = 0; frame < spectrum.frames; frame++) {
    for (let bin = from; bin < to; bin++) {
      if (count++ % step === 0) found.push(spectrum.levels[frame * spectrum.bins + bin]);
    }
  }
  const sorted = Float32Array.from(found).sort();
  return { noise: sorted[Math.floor(sorted.length / 2)], loud: sorted[Math.floor((sorted.length - 1) * 0.998)] };
}

/**
 * Paint a spectrum into an ImageData, lowest frequency at the bottom.
 *
 * axis: from `frequencyAxis`; floor, ceiling in dB; palette: Uint32Array of 256 colours.
 * Where a row of pixels covers several bins, it shows the loudest; where it is narrower than one, it interpolates.
 */
export function paint(image, spectrum, rate, axis, floor, ceiling, palette) {
  const { width, height } = image;
  const pixels = new Uint32Array(image.data.buffer);
  const perBin = rate / 2 / (spectrum.bins - 1);
  const { levels, bins, frames } = spectrum;
  const scale = 255 / Math.max(1, ceiling - floor);
  for (let row = 0; row < height; row++) {
    const lower = axis.hertz(1 - (row + 1) / height) / perBin;
    const upper = axis.hertz(1 - row / height) / perBin;
    const isWide = upper - lower > 1;
    const middle = Math.max(0, (lower + upper) / 2);
    const from = Math.min(bins - 1, isWide ? Math.max(0, Math.ceil(lower)) : Math.floor(middle));
    const to = Math.min(bins - 1, isWide ? Math.floor(upper) : from + 1);
    const part = middle - from;
    for (let column = 0; column < width; column++) {
      const at = Math.floor(((column + 0.5) * frames) / width) * bins;
      let level = levels[at + from];
      if (isWide) for (let bin = from + 1; bin <= to; bin++) level = Math.max(level, levels[at + bin]);
      else level += part * (levels[at + to] - level);
      const shade = (level - floor) * scale;
      pixels[row * width + column] = palette[shade < 0 ? 0 : shade > 255 ? 255 : shade | 0];
    }
  }
}

// Matplotlib's magma, and white to black: brightness grows or falls evenly, so both work for the colour-blind.
const MAGMA = [
  [0, 0, 4], [18, 13, 49], [51, 16, 103], [89, 21, 126], [126, 36, 130], [163, 48, 126], [200, 62, 115], [233, 84, 98],
  [250, 125, 94], [254, 169, 115], [254, 211, 149], [252, 253, 191],
]; // prettier-ignore
const GREYS = [
  [255, 255, 255],
  [0, 0, 0],
];

/** 256 colours from quiet to loud, as a Uint32Array for `paint`. */
export function palette(isDark) {
  const anchors = isDark ? MAGMA : GREYS;
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const at = (i / 255) * (anchors.length - 1);
    const before = Math.min(anchors.length - 2, Math.floor(at));
    const between = (value, k) => Math.round(value + (at - before) * (anchors[before + 1][k] - value));
    const [r, g, b] = anchors[before].map(between);
    return (255 << 24) | (b << 16) | (g << 8) | r;
  });
}
