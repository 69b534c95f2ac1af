// Draw motion: arrows on the first frame; the frame beside it moves at once.

const PREVIEW = 256;
const BOARDS = new WeakMap();

class Board {
  constructor(root) {
    this.find = (selector) => root.querySelector(selector);
    this.arrows = new Arrows();
    this.reach = 0.25;
    this.clock = new Clock(this.find, { moved: () => (this.dirty = true), rested: () => {} });
    this.board = this.find(".board");
    this.preview = this.find(".preview").getContext("2d", { willReadFrequently: true });
    this.find(".steps").innerHTML = '<i style="flex:1"></i>';
    this.bind();
    const tick = (now) => {
      this.clock.advance(now);
      if (this.dirty) this.paint();
      this.animation = requestAnimationFrame(tick);
    };
    this.animation = requestAnimationFrame(tick);
  }

  // ---- data -------------------------------------------------------------------------------------------------
  /** Arrows are taken over only when Python set them (`revision`): what is being drawn is never overwritten by its echo. */
  async load(data) {
    const { header, bytes } = parseHeader(data);
    const first = !this.header;
    if (first || header.id !== this.header.id) {
      const picture = await createImageBitmap(new Blob([slice(bytes, header.picture)]));
      if (this.data !== data) return picture.close(); // a newer message came meanwhile
      this.picture?.close();
      this.picture = picture;
      this.preview.drawImage(picture, 0, 0, PREVIEW, PREVIEW);
      this.source = this.preview.getImageData(0, 0, PREVIEW, PREVIEW);
      this.target = this.preview.createImageData(PREVIEW, PREVIEW);
    }
    if (first || header.revision !== this.header.revision) {
      const list = header.arrows.map(([x, y, dx, dy]) => ({ x, y, dx, dy }));
      if (first) this.arrows.list = list;
      else this.arrows.replace(list);
      this.reach = header.reach;
    }
    this.header = header;
    this.clock.set(header.frames, header.fps);
    this.find(".legend-words").textContent = header.caption;
    this.find(".error").textContent = "";
    this.reflect();
    if (first && header.autoplay) this.clock.autoplay();
  }

  /** The arrows have changed: a new field, a new table. `done`: the hand has let go, so Python may know. */
  changed(done) {
    this.reflect();
    if (!done) return;
    this.send?.("drawing", { arrows: this.arrows.list.map(({ x, y, dx, dy }) => [x, y, dx, dy]), reach: this.reach });
    if (this.arrows.list.length && !this.clock.playing && !this.clock.frame) this.clock.autoplay();
  }

  reflect() {
    const { list, selected, past, future } = this.arrows;
    this.motion = motionOf(list, this.reach);
    this.mesh = buildMesh(this.motion);
    this.dirty = true;
    this.find(".invite").hidden = list.length > 0;
    this.find(".undo").disabled = !past.length;
    this.find(".redo").disabled = !future.length;
    this.find(".bin").disabled = selected < 0;
    this.find(".clear").disabled = !list.length;
    this.find(".add").disabled = list.length >= MOST_ARROWS;
    this.find(".reach").value = Math.round(100 * this.reach);
    this.find(".reach-label output").textContent = `${Math.round(100 * this.reach)} %`;
    this.find(".count").textContent = list.length
      ? `${list.length} of at most ${MOST_ARROWS}; percent of the frame, motion in ${this.header?.seconds ?? 2} s`
      : "Nothing is drawn yet.";
    fillArrowList(this.find("tbody"), this.arrows, {
      edit: (index, field, value) => this.edit(index, field, value),
      remove: (index) => this.arrows.remove(index) && this.changed(true),
      select: (index) => this.select(index),
    });
    this.board.dataset.arrows = list.length;
  }

  select(index) {
    this.arrows.selected = index;
    this.find(".bin").disabled = index < 0;
    [...this.find("tbody").children].forEach((row, i) => row.setAttribute("aria-selected", i === index));
    this.dirty = true;
  }

  edit(index, field, value) {
    this.arrows.keep();
    this.arrows.list[index][field] = value;
    this.changed(true);
  }

  // ---- painting ---------------------------------------------------------------------------------------------
  paint() {
    if (!this.header || !this.source) return;
    this.dirty = false;
    const { frame, frames, fps } = this.clock;
    const size = this.board.width;
    const pen = this.board.getContext("2d");
    pen.drawImage(this.picture, 0, 0, size, size);
    paintArrows(pen, size, this.arrows, this.motion);
    this.places = origins(this.mesh, frame / fps / this.header.seconds, this.places);
    remap(this.source, this.places, this.target);
    this.preview.putImageData(this.target, 0, 0);
    this.find(".preview").dataset.frame = frame;
    this.find(".scrub").value = frame;
    this.find(".time").innerHTML = `${(frame / fps).toFixed(2)} s<span class="long"> · frame ${frame + 1} of ${frames}</span>`;
  }

  // ---- hands ------------------------------------------------------------------------------------------------
  bind() {
    this.bindBoard();
    const act = (selector, action) => (this.find(selector).onclick = () => action() !== false && this.changed(true));
    act(".undo", () => this.arrows.undo());
    act(".redo", () => this.arrows.redo());
    act(".bin", () => this.arrows.remove(this.arrows.selected));
    act(".clear", () => this.arrows.replace([]));
    act(".add", () => this.add({ x: 0.5, y: 0.5, dx: 0.1, dy: 0 }));
    this.find(".reach").oninput = (event) => {
      this.reach = Number(event.target.value) / 100;
      this.changed(false);
    };
    this.find(".reach").onchange = () => this.changed(true);
    this.find(".save").onclick = () => saveCanvas(this.still(), `${this.header.file_stem}_frame${this.clock.frame}.png`);
    const click = (selector) => () => this.find(selector).disabled || this.find(selector).click();
    this.clock.bindKeys({ n: click(".add"), Delete: click(".bin"), Backspace: click(".bin") }, click);
    this.find(".player").addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.target.closest("input")) return;
      const action = { z: event.shiftKey ? ".redo" : ".undo", y: ".redo" }[event.key.toLowerCase()];
      if (!action) return;
      event.preventDefault();
      click(action)();
    });
  }

  add(arrow) {
    if (this.arrows.list.length >= MOST_ARROWS) return false;
    this.arrows.keep();
    this.arrows.list.push(arrow);
    this.arrows.selected = this.arrows.list.length - 1;
    return true;
  }

  bindBoard() {
    const place = (event) => {
      const box = this.board.getBoundingClientRect();
      return [clampTo((event.clientX - box.left) / box.width, 0, 1), clampTo((event.clientY - box.top) / box.height, 0, 1)];
    };
    this.board.onpointerdown = (event) => {
      if (!this.header || event.button) return;
      this.board.setPointerCapture(event.pointerId);
      const [x, y] = place(event);
      const found = this.arrows.hit(x, y);
      if (found) {
        this.arrows.keep();
        this.arrows.selected = found.index;
        this.held = { ...found, moved: false, old: true };
      } else if (this.add({ x, y, dx: 0, dy: 0 })) {
        this.held = { index: this.arrows.selected, part: "tip", moved: false };
      } else {
        this.find(".count").textContent = `At most ${MOST_ARROWS} arrows: remove one first.`;
        return;
      }
      this.select(this.arrows.selected);
    };
    this.board.onpointermove = (event) => this.held && this.drag(...place(event));
    this.board.onpointerup = this.board.onpointercancel = () => this.drop();
  }

  drag(x, y) {
    const arrow = this.arrows.list[this.held.index];
    if (this.held.part === "tail") Object.assign(arrow, { x, y });
    else Object.assign(arrow, { dx: x - arrow.x, dy: y - arrow.y });
    this.held.moved = true;
    this.changed(false);
  }

  drop() {
    if (!this.held) return;
    const { index, moved, old } = this.held;
    this.held = null;
    if (old && !moved) {
      this.arrows.past.pop(); // it was only chosen
      return this.reflect();
    }
    const arrow = this.arrows.list[index];
    if (Math.hypot(arrow.dx, arrow.dy) < SHORTEST) Object.assign(arrow, { dx: 0, dy: 0 });
    this.changed(true);
  }

  // ---- export -----------------------------------------------------------------------------------------------
  still() {
    const pictures = [{ canvas: this.board, label: "First frame with arrows" }, { canvas: this.find(".preview"), label: "Drawn motion" }];
    return composeFilms(pictures, [...this.header.lines, `Frame ${this.clock.frame + 1} of ${this.clock.frames}`]);
  }

  close() {
    cancelAnimationFrame(this.animation);
    this.picture?.close();
  }
}

export default function (component) {
  return mount(component, BOARDS, Board, "This frame cannot be shown");
}
