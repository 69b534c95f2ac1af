// The synced player. One frame index, owned here; every panel is painted from it in the same animation frame.

const CANVAS = 448;
const PLAYERS = new WeakMap();

class Player {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.view = { smooth: true, arrows: false, mask: false, film: 0 };
    this.clock = new Clock(this.find, { moved: () => (this.dirty = true), rested: () => this.commit() });
    this.point = null;
    this.stages = [];
    this.pictures = new Map();
    this.dirty = true;
    paintWheel(this.find(".wheel"));
    this.bindControls();
    this.bindKeys();
    const tick = (now) => {
      this.clock.advance(now);
      if (this.dirty) this.paint();
      this.animation = requestAnimationFrame(tick);
    };
    this.animation = requestAnimationFrame(tick);
  }

  // ---- data -------------------------------------------------------------------------------------------------
  async load(data) {
    const clip = parsePayload(data);
    const { header } = clip;
    const film = await createImageBitmap(clip.film);
    const first = !this.header;
    const changed = first || this.header.id !== header.id;
    this.film?.close();
    this.clip = clip;
    this.film = film;
    this.header = header;
    this.pictures.clear();
    if (first) Object.assign(this.view, header.view);
    this.clock.set(header.frames, header.fps);
    this.buildPanels();
    this.buildSteps();
    this.describeScale();
    this.find(".mask").disabled = !clip.moving;
    this.find(".error").textContent = "";
    this.reflectView();
    if (changed) this.clock.seek(header.view?.frame ?? 0);
    if (first && header.autoplay) this.clock.autoplay();
    this.dirty = true;
  }

  buildPanels() {
    const box = this.find(".panels");
    const count = this.clip.panels.length;
    box.style.setProperty("--columns", Math.max(4, count));
    box.style.setProperty("--columns-narrow", count === 4 ? 4 : 3);
    this.stages = this.clip.panels.map((panel) => {
      const figure = document.createElement("figure");
      figure.className = "panel";
      figure.innerHTML = `<figcaption>${markerPicture(panel)}<span></span><small></small></figcaption>
        <div class="stage"><canvas width="${CANVAS}" height="${CANVAS}" role="img"></canvas><div class="flag"></div></div>
        <div class="readout"></div>`;
      figure.querySelector("figcaption span").textContent = panel.label;
      figure.querySelector("figcaption small").textContent = panel.note ?? "";
      figure.querySelector("figcaption").title = panel.explanation ?? "";
      const canvas = figure.querySelector("canvas");
      canvas.dataset.panel = panel.id;
      canvas.setAttribute("aria-label", panel.explanation ?? panel.label);
      this.bindPointer(canvas);
      return { panel, canvas, pen: canvas.getContext("2d"), flag: figure.querySelector(".flag"), readout: figure.querySelector(".readout"), figure };
    });
    box.replaceChildren(...this.stages.map((stage) => stage.figure));
  }

  buildSteps() {
    const { ends, grid } = this.header;
    const bars = ends.map((end, step) => {
      const bar = document.createElement("i");
      bar.style.flex = `${end - (ends[step - 1] ?? 0)} 0 0`;
      bar.classList.toggle("bad", shareInvalid(this.clip.valid, grid, step) > 0.5);
      return bar;
    });
    this.find(".steps").replaceChildren(...bars);
  }

  describeScale() {
    const { maximum, grid, ends } = this.header;
    const perSecond = percentPerSecond(maximum, grid, ends[0]).toFixed(0);
    this.find(".scale").innerHTML = `full colour: ${maximum} px of the ${grid}×${grid} grid per step<br>= ${perSecond} % of the frame's width per second`;
  }

  // ---- view -------------------------------------------------------------------------------------------------
  /** Tell Python where we rest: once per pause or change, never while playing. */
  commit() {
    this.send?.("view", { ...this.view, frame: this.clock.frame });
  }

  reflectView() {
    for (const name of ["smooth", "arrows", "mask"]) this.find(`.${name}`).setAttribute("aria-pressed", Boolean(this.view[name]));
    this.find(".mix").value = this.view.film;
  }

  change(name, value) {
    this.view[name] = value;
    this.reflectView();
    this.dirty = true;
    if (!this.clock.playing) this.commit();
  }

  // ---- painting ---------------------------------------------------------------------------------------------
  picture(stage, step) {
    const key = `${stage.panel.id}/${step}/${this.view.smooth}`;
    if (!this.pictures.has(key)) {
      const { grid, maximum } = this.header;
      this.pictures.set(key, fieldPicture(stage.panel.flow, grid, step, maximum, this.view.smooth));
    }
    return this.pictures.get(key);
  }

  paint() {
    if (!this.header) return;
    this.dirty = false;
    const { frame } = this.clock;
    const step = stepOfFrame(frame, this.header.fps, this.header.ends);
    for (const stage of this.stages) {
      if (stage.panel.flow) this.paintFlow(stage, step, frame);
      else drawFilm(stage.pen, this.film, this.header.sprite, frame, CANVAS);
      if (this.point) this.paintPoint(stage, step);
      Object.assign(stage.canvas.dataset, { frame, step });
    }
    this.writeWords(step, frame);
  }

  paintFlow(stage, step, frame) {
    const { pen, panel } = stage;
    const { grid, maximum } = this.header;
    const { valid, moving } = this.clip;
    pen.globalAlpha = 1;
    if (this.view.film > 0) drawFilm(pen, this.film, this.header.sprite, frame, CANVAS);
    pen.globalAlpha = 1 - this.view.film / 100;
    pen.imageSmoothingEnabled = this.view.smooth;
    pen.drawImage(this.picture(stage, step), 0, 0, CANVAS, CANVAS);
    pen.imageSmoothingEnabled = true;
    pen.globalAlpha = 1;
    if (this.view.mask && moving) fillCells(pen, moving, grid, step, 0, CANVAS, "rgba(128,132,140,.82)");
    stage.hatch ??= hatchPattern(pen, panel.id === "truth");
    fillCells(pen, valid, grid, step, 0, CANVAS, stage.hatch);
    if (this.view.arrows) drawArrows(pen, panel.flow, grid, step, maximum, CANVAS);
    const cut = shareInvalid(valid, grid, step) > 0.5;
    stage.flag.textContent = cut ? "not scored: cut, fade or unreliable step" : "";
  }

  vectorAt(stage, step) {
    const { grid } = this.header;
    const at = 2 * ((step * grid + this.point.y) * grid + this.point.x);
    return [stage.panel.flow[at], stage.panel.flow[at + 1]];
  }

  paintPoint(stage, step) {
    const vector = stage.panel.flow ? this.vectorAt(stage, step) : null;
    drawCrosshair(stage.pen, this.point, vector, this.header.maximum, this.header.grid, CANVAS);
  }

  writeWords(step, frame) {
    const { grid, ends, fps, frames } = this.header;
    const seconds = ends[step] - (ends[step - 1] ?? 0);
    const dots = [];
    for (const stage of this.stages) {
      if (!stage.panel.flow) {
        stage.readout.textContent = this.point ? `grid point ${this.point.x}, ${this.point.y}` : this.header.caption;
      } else if (this.point) {
        const vector = this.vectorAt(stage, step);
        stage.readout.textContent = describeVector(vector, grid, seconds);
        dots.push({ vector, colour: stage.panel.colour });
      } else {
        stage.readout.textContent = describeMean(meanSpeed(stage.panel.flow, this.clip.valid, grid, step), grid, seconds);
      }
    }
    wheelDots(this.find(".dots"), dots, this.header.maximum);
    this.find(".scrub").value = frame;
    this.find(".time").innerHTML = `${(frame / fps).toFixed(2)} s<span class="long"> · frame ${frame + 1} of ${frames} · step ${step + 1}</span>`;
    [...this.find(".steps").children].forEach((bar, i) => bar.classList.toggle("now", i === step));
  }

  // ---- hands ------------------------------------------------------------------------------------------------
  bindPointer(canvas) {
    const move = (event) => {
      const box = canvas.getBoundingClientRect();
      const cell = (offset, length) => Math.max(0, Math.min(this.header.grid - 1, Math.floor((offset / length) * this.header.grid)));
      this.point = { x: cell(event.clientX - box.left, box.width), y: cell(event.clientY - box.top, box.height) };
      this.dirty = true;
    };
    canvas.onpointermove = move;
    canvas.onpointerdown = move;
    canvas.onpointerleave = () => {
      this.point = null;
      this.dirty = true;
    };
  }

  bindControls() {
    for (const name of ["smooth", "arrows", "mask"]) this.find(`.${name}`).onclick = () => this.change(name, !this.view[name]);
    this.find(".mix").oninput = (event) => {
      this.view.film = Number(event.target.value);
      this.dirty = true;
    };
    this.find(".mix").onchange = (event) => this.change("film", Number(event.target.value));
    this.find(".save").onclick = () => this.save();
  }

  bindKeys() {
    const click = (selector) => () => this.find(selector).disabled || this.find(selector).click();
    const film = () => this.change("film", this.view.film >= 90 ? 0 : this.view.film + 30);
    this.clock.bindKeys({ a: click(".arrows"), s: click(".smooth"), m: click(".mask"), f: film }, click);
  }

  // ---- export -----------------------------------------------------------------------------------------------
  save() {
    const { frame } = this.clock;
    saveCanvas(composeStill(this.stages, this.header, frame, this.find(".wheel")), `${this.header.file_stem}_frame${frame}.png`);
  }

  close() {
    cancelAnimationFrame(this.animation);
    this.film?.close();
  }
}

export default function (component) {
  return mount(component, PLAYERS, Player, "This clip cannot be shown");
}
