// The transport to `dawnchorus review serve`. Its cookie carries the token.

export class Refused extends Error {}

/** Fetch; throws Refused where a repetition cannot help, and another Error where it may. */
async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { cache: "no-store", ...options });
  } catch {
    throw new Error("the server does not answer; start `dawnchorus review serve` again");
  }
  if (response.ok) return response;
  const reason = await response.json().then((found) => found.error, () => response.statusText);
  if (response.status === 403) {
    throw new Error(`${reason}; open the address that \`dawnchorus review serve\` prints in another tab`);
  }
  if (response.status >= 500) throw new Error(reason);
  throw new Refused(reason);
}

const json = async (path, options) => (await request(path, options)).json();
const sound = async (path) => {
  const response = await request(path);
  const found = JSON.parse(response.headers.get("X-Clip"));
  return { ...found, bytes: await response.arrayBuffer() };
};
const query = (values) => new URLSearchParams(values).toString();

export class HttpTransport {
  isOffline = false;

  /** The review: {id, name, purpose, species, items (columns), reviewers, precision}. */
  review() {
    return json("api/review");
  }

  /** A reviewer's own answers, oldest first. */
  answers(reviewer) {
    return json(`api/answers?${query({ reviewer })}`);
  }

  /** Save an answer; when this resolves, it is on disk. */
  send(answer) {
    const headers = { "Content-Type": "application/json" };
    return json("api/answers", { method: "POST", headers, body: JSON.stringify(answer) });
  }

  /** An item's sound with a margin in seconds: {bytes, rate, start (s in the recording), length}. */
  sound(item, margin) {
    return sound(`sound/${item}?${query({ margin })}`);
  }

  /** Annotated calls of a species: a list of {number, recording, start, end, low, high}. */
  references(species) {
    return json(`api/references?${query({ species })}`);
  }

  /** The sound of a reference, as from `sound`. */
  referenceSound(number) {
    return sound(`reference/${number}`);
  }

  /** What the answers say about a species: see `Evidence` on the server. */
  curve(species, reviewer) {
    return json(`api/curve?${query({ species, reviewer })}`);
  }

  /** Agreement of pairs of reviewers. */
  agreement() {
    return json("api/agreement");
  }
}
