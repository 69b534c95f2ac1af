// One packed message per clip: [uint32 header length][JSON header][padding][blobs]. Offsets count from the start.

function slice(bytes, place) {
  return bytes.slice(place.offset, place.offset + place.length);
}

/** Vectors travel as int16 with one scale per panel; they come back as float32 (step, y, x, 2) in grid pixels. */
function unpackFlow(bytes, place) {
  const packed = new Int16Array(slice(bytes, place).buffer);
  const flow = new Float32Array(packed.length);
  for (let i = 0; i < packed.length; i++) flow[i] = packed[i] * place.scale;
  return flow;
}

/** -> {header, bytes}: what every component's message begins with. */
function parseHeader(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  return { bytes, header: JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) };
}

/** -> {header, film: Blob, panels: [{...header panel, flow}], valid, moving}; masks are Uint8Array (step, y, x). */
function parsePayload(data) {
  const { bytes, header } = parseHeader(data);
  const panels = header.panels.map((panel) => ({
    ...panel,
    flow: panel.vectors ? unpackFlow(bytes, panel.vectors) : null,
  }));
  return {
    header,
    panels,
    film: new Blob([slice(bytes, header.film)], { type: "image/webp" }),
    valid: slice(bytes, header.valid),
    moving: header.moving ? slice(bytes, header.moving) : null,
  };
}

/** Flow is held per step: the step whose time span holds the frame's time. `ends` are the steps' ends in seconds. */
function stepOfFrame(frame, fps, ends) {
  const time = frame / fps + 1e-9;
  const step = ends.findIndex((end) => time < end);
  return step < 0 ? ends.length - 1 : step;
}

/** A rerun that changes nothing sends the same message again: the player then stays as it is. */
function sameBytes(a, b) {
  if (a === b) return true;
  if (!a || !b || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** What a component does with every message: make its view once, load bytes that are new, close it with its element. */
function mount({ data, parentElement, setStateValue }, views, View, trouble) {
  if (!views.has(parentElement)) views.set(parentElement, new View(parentElement));
  const view = views.get(parentElement);
  view.send = setStateValue;
  if (!sameBytes(data, view.data)) {
    view.data = data;
    view.load(data).catch((error) => {
      view.find(".error").textContent = `${trouble}: ${error.message}`;
    });
  }
  return () => {
    view.close();
    views.delete(parentElement);
  };
}
