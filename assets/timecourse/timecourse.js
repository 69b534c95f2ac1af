// Measured and predicted activity of one vertex, and the film's frame at the cursor. Frames of a film are sent once.

const COURSES = new WeakMap();
const SHEETS = (globalThis.__brainvizSheets ??= new Map());
const MOST_SHEETS = 8;
const REST_MS = 500;

function parseCourse(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  if (header.film) {
    const { offset, length: size } = header.film;
    SHEETS.set(header.sheet, createImageBitmap(new Blob([bytes.slice(offset, offset + size)], { type: "image/webp" })));
    while (SHEETS.size > MOST_SHEETS) SHEETS.delete(SHEETS.keys().next().value);
  }
  return header;
}

class Course {
  constructor(root) {
    this.find = (selector) => root.querySelector(selector);
    this.at = null;
    this.resize = new ResizeObserver(() => this.mark());
    this.resize.observe(this.find(".plot"));
    const lines = this.find(".lines");
    const move = (event) => this.point(this.nearest(event.clientX - lines.getBoundingClientRect().left));
    lines.onpointermove = (event) => (event.pointerType === "mouse" || event.buttons) && move(event);
    lines.onpointerdown = move;
    this.find(".course").onkeydown = (event) => this.key(event);
  }

  async load(data) {
    const header = parseCourse(data);
    if (header.sheet && !SHEETS.has(header.sheet)) return this.ask?.(header.sheet);
    const sheet = header.sheet ? await SHEETS.get(header.sheet) : null;
    const film = this.header?.id !== header.id;
    Object.assign(this, { header, sheet });
    if (film) this.at = Math.max(0, Math.min(header.times_s.length - 1, header.volume ?? 0));
    this.find(".error").textContent = "";
    this.find(".film").hidden = !sheet;
    this.find(".course").classList.toggle("alone", !sheet);
    this.describe();
    this.mark();
  }

  describe() {
    const { label, colour, n_runs: runs, r, alt } = this.header;
    const legend = this.find(".legend");
    legend.innerHTML = `<span><i class="thin" style="border-color:currentColor"></i><em></em></span><span><i></i><em></em></span>`;
    legend.querySelectorAll("em").forEach((part) => (part.style.fontStyle = "normal"));
    legend.firstChild.hidden = runs < 1;
    legend.querySelectorAll("em")[0].textContent = runs > 1 ? `Measured, mean of ${runs} runs` : "Measured, one run";
    legend.querySelectorAll("em")[1].textContent = r === null ? `Predicted by ${label}` : `Predicted by ${label}, r = ${r.toFixed(2).replace("-", "−")} in this film`;
    legend.querySelectorAll("i")[1].style.borderColor = colour;
    this.find(".lines").setAttribute("aria-label", alt);
  }

  mark() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.header && !this.closed) this.draw();
    });
  }

  draw() {
    const { header, sheet } = this;
    const width = this.find(".plot").clientWidth;
    const strip = sheet ? STRIP : 0;
    const height = 206 + strip;
    const ink = getComputedStyle(this.find(".course")).color;
    this.scale = new CourseScale(header, width, height, strip);
    const pen = penOf(this.find(".lines"), width, height);
    drawAxes(pen, this.scale, ink);
    pen.globalAlpha = 0.62;
    drawLine(pen, this.scale, header.times_s, header.measured, ink, 1.5);
    pen.globalAlpha = 1;
    drawLine(pen, this.scale, header.times_s, header.predicted, header.colour, 2.6);
    if (sheet) drawStrip(pen, this.scale, sheet, header.sprite);
    const cursor = this.find(".cursor");
    cursor.style.top = `${this.find(".lines").offsetTop}px`;
    this.size = [width, height];
    this.ink = ink;
    this.show();
  }

  /** The cursor, the film's frame at its time, and the values in words. */
  show() {
    const { header, scale, sheet, ink } = this;
    if (!scale) return;
    const time = header.times_s[this.at];
    const pen = penOf(this.find(".cursor"), ...this.size);
    pen.strokeStyle = ink;
    pen.globalAlpha = 0.55;
    pen.beginPath();
    pen.moveTo(scale.x(time), 4);
    pen.lineTo(scale.x(time), scale.height);
    pen.stroke();
    pen.globalAlpha = 1;
    for (const [values, colour] of [[header.measured, ink], [header.predicted, header.colour]]) {
      if (values[this.at] === null) continue;
      pen.fillStyle = colour;
      pen.beginPath();
      pen.arc(scale.x(time), scale.y(values[this.at]), 4.5, 0, 7);
      pen.fill();
    }
    if (sheet) this.showFrame(time);
    const words = (value) => (value === null ? "none" : value.toFixed(2).replace("-", "−"));
    const measured = header.n_runs < 1 ? "" : `measured ${words(header.measured[this.at])}, `;
    this.find(".readout").textContent =
      `Volume ${this.at}, film time ${time} s: ${measured}predicted ${words(header.predicted[this.at])} (z)`;
    Object.assign(this.find(".course").dataset, { volume: this.at, time });
  }

  showFrame(time) {
    const { sprite, length_s: length } = this.header;
    const frame = frameAt(sprite, time);
    const screen = this.find(".frame");
    drawFrame(screen.getContext("2d"), this.sheet, sprite, frame, 0, 0, screen.width, screen.height);
    screen.dataset.frame = frame;
    screen.setAttribute("aria-label", `The film at ${frame * sprite.step_s} s`);
    const ended = time >= length;
    this.find(".when").innerHTML = `<b></b><small></small>`;
    this.find(".when b").textContent = ended ? `Film's last frame` : `Film at ${frame * sprite.step_s} s`;
    this.find(".when small").textContent = ended
      ? `The film ended at ${length} s; this volume was measured at ${time} s.`
      : "On screen while this volume was measured; activity lags what was seen by 4 to 7 s.";
  }

  nearest(x) {
    const { times_s: times, step_s: step } = this.header;
    return Math.round((this.scale.time(x) - times[0]) / step);
  }

  point(volume) {
    const at = Math.max(0, Math.min(this.header.times_s.length - 1, volume));
    if (at === this.at) return;
    this.at = at;
    this.show();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.send?.("volume", this.at), REST_MS);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.header) return;
    const last = this.header.times_s.length - 1;
    const by = event.shiftKey ? 10 : 1;
    const to = { ArrowLeft: this.at - by, ArrowRight: this.at + by, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.point(to);
  }

  close() {
    this.closed = true;
    this.resize.disconnect();
    clearTimeout(this.resting);
    cancelAnimationFrame(this.frame);
  }
}

function sameContent(a, b) {
  return a === b || (a && b && a.byteLength === b.byteLength && new Uint8Array(a).every((value, i) => value === new Uint8Array(b)[i]));
}

export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component;
  let course = COURSES.get(parentElement);
  if (!course) COURSES.set(parentElement, (course = new Course(parentElement)));
  course.send = setStateValue;
  course.ask = (hash) => setTriggerValue("missing", hash);
  if (!sameContent(data, course.data)) {
    course.data = data;
    course.load(data).catch((error) => {
      course.find(".error").textContent = `The time course cannot be shown: ${error.message}`;
    });
  }
  return () => {
    course.close();
    COURSES.delete(parentElement);
  };
}
