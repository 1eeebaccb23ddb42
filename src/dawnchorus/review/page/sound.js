// Decoding and playback. A file states 48 kHz whatever its true rate, so that browsers decode every sample as it is.

const STATED_RATE = 48000;
const LOUDEST_GAIN = 30;

let context = null;
let playing = null;

/** Decode a FLAC file. Returns its samples as a Float32Array. */
export async function decode(bytes) {
  const decoder = new OfflineAudioContext(1, 1, STATED_RATE);
  return (await decoder.decodeAudioData(bytes)).getChannelData(0);
}

/** Seconds of the clip that have been played and whether it still plays: {at, sound} or null. */
export function position() {
  if (!playing) return null;
  const at = playing.from + (context.currentTime - playing.started) * playing.speed;
  return at < playing.to ? { at, sound: playing.sound } : null;
}

/** End playback. */
export function stop() {
  if (playing) playing.source.stop();
  playing = null;
}

/**
 * Play a part of a sound.
 *
 * sound: {samples, rate}; from, to in seconds from its start; speed: 1, 1/2, 1/10; band: [low, high] in Hz or null.
 * Slowed sound is lower by the same factor, which makes ultrasound audible.
 */
export function play(sound, from, to, speed, band) {
  stop();
  context ||= new AudioContext();
  // Without a key or click before, browsers keep it silent.
  if (context.state === "suspended") context.resume();
  const buffer = context.createBuffer(1, sound.samples.length, STATED_RATE);
  buffer.copyToChannel(sound.samples, 0);
  const source = context.createBufferSource();
  const stretch = STATED_RATE / sound.rate;
  source.buffer = buffer;
  source.playbackRate.value = speed / stretch;
  const nodes = [source, ...(band ? bandPass(band, speed) : []), gain(sound, from, to), context.destination];
  nodes.reduce((before, after) => before.connect(after));
  source.start(0, from * stretch, (to - from) * stretch);
  const entry = { source, sound, from, to, speed, started: context.currentTime };
  source.onended = () => {
    if (playing === entry) playing = null;
  };
  playing = entry;
}

/** Butterworth filters of fourth order, each of two parts with their Q in dB: 24 dB an octave outside the band. */
function bandPass([low, high], speed) {
  const most = context.sampleRate / 2;
  const filters = [];
  for (const [type, hertz] of [["highpass", low * speed], ["lowpass", high * speed]]) {
    for (const q of [-5.3, 2.3]) {
      if (hertz <= 0 || hertz >= most) continue;
      const filter = context.createBiquadFilter();
      filter.type = type;
      filter.frequency.value = hertz;
      filter.Q.value = q;
      filters.push(filter);
    }
  }
  return filters;
}

/** A quiet recording is made louder, so that its peak in the part that plays is 0.7. */
function gain(sound, from, to) {
  let peak = 0;
  const end = Math.min(sound.samples.length, Math.ceil(to * sound.rate));
  for (let i = Math.floor(from * sound.rate); i < end; i++) peak = Math.max(peak, Math.abs(sound.samples[i]));
  const node = context.createGain();
  node.gain.value = peak ? Math.min(LOUDEST_GAIN, 0.7 / peak) : 1;
  return node;
}
