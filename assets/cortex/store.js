// What the browser keeps. A message is one packed `bytes`: [uint32 header length][JSON header][padding][blobs].
// Blobs are named by their hash and sent once: maps stay in memory, the surface also in IndexedDB across visits.

const KEPT = (globalThis.__brainvizCortex ??= { blobs: new Map(), decoded: new Map(), received: 0 });
const MOST_BLOBS = 400;
const MOST_DECODED = 120;
const DATABASE = "brainviz-cortex";

/** -> {header, arrived: Map hash -> Promise<Uint8Array>}. Offsets count from the start of the message. */
function parseMessage(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  for (const [hash, place] of Object.entries(header.blobs ?? {})) {
    const raw = bytes.slice(place.offset, place.offset + place.length);
    KEPT.blobs.set(hash, place.deflated ? inflate(raw) : Promise.resolve(raw));
    KEPT.received += 1;
  }
  while (KEPT.blobs.size > MOST_BLOBS) KEPT.blobs.delete(KEPT.blobs.keys().next().value);
  return header;
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A blob that is here, or null. Reading it makes it the youngest. */
async function keptBlob(hash) {
  const found = KEPT.blobs.get(hash);
  if (!found) return null;
  KEPT.blobs.delete(hash);
  KEPT.blobs.set(hash, found);
  return found;
}

/** A surface blob: from memory, else from this browser's own database. A browser without one (private window) asks again. */
async function lastingBlob(hash) {
  const here = await keptBlob(hash);
  if (here) {
    writeLasting(hash, here);
    return here;
  }
  const stored = await request("readonly", (store) => store.get(hash));
  if (!(stored instanceof Uint8Array)) return null;
  KEPT.blobs.set(hash, Promise.resolve(stored));
  return stored;
}

const written = new Set();
function writeLasting(hash, bytes) {
  if (written.has(hash)) return;
  written.add(hash);
  request("readwrite", (store) => store.put(bytes, hash));
}

/** One request to the database; undefined where the browser forbids one. */
function request(mode, use) {
  return new Promise((done) => {
    let opening;
    try {
      opening = indexedDB.open(DATABASE, 1);
    } catch {
      return done(undefined);
    }
    opening.onupgradeneeded = () => opening.result.createObjectStore("blobs");
    opening.onerror = () => done(undefined);
    opening.onsuccess = () => {
      const answer = use(opening.result.transaction("blobs", mode).objectStore("blobs"));
      answer.onsuccess = () => done(answer.result);
      answer.onerror = () => done(undefined);
    };
  });
}

/** What is worked out from a blob (mesh, decoded map); the least recently used go first. */
async function decodedOnce(key, work) {
  const found = KEPT.decoded.get(key) ?? (await work());
  KEPT.decoded.delete(key);
  KEPT.decoded.set(key, found);
  if (KEPT.decoded.size > MOST_DECODED) KEPT.decoded.delete(KEPT.decoded.keys().next().value);
  return found;
}

function sameBytes(a, b) {
  if (a === b) return true;
  if (!a || !b || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
