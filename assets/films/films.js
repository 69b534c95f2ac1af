// Films in step. One clock; every panel is painted from it in the same animation frame, films of other rates by time.

const CANVAS = 448;
const PLAYERS = new WeakMap();
const MODES = ["row", "difference", "slider"];

class FilmPlayer {
  constructor(root) {
    this.find = (selector) => root.querySelector(selector);
    this.modeButtons = [...root.querySelectorAll(".modes .switch")];
    this.mode = "row";
    this.clock = new Clock(this.find, { moved: () => (this.dirty = true), rested: () => this.commit() });
    const changed = () => (this.dirty = true);
    this.pair = new FilmPair(this.find, { changed, rested: () => this.clock.playing || this.commit() });
    this.stages = [];
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
  /** All sheets are decoded before the first one is shown: the panels of two clips never stand side by side. */
  async load(data) {
    const { header, bytes } = parseHeader(data);
    const sheet = async (panel) =>
      panel.sheet ? createImageBitmap(new Blob([slice(bytes, panel.sheet)], { type: "image/webp" })) : null;
    const sheets = await Promise.all([header.film, ...header.panels].map(sheet));
    if (this.data !== data) return sheets.forEach((picture) => picture?.close()); // a newer message came meanwhile
    const first = !this.header;
    const changed = first || this.header.id !== header.id;
    this.sheets?.forEach((picture) => picture?.close());
    this.sheets = sheets;
    this.header = header;
    this.film = { ...header.film, sheet: sheets[0] };
    this.panels = header.panels.map((panel, i) => ({ ...panel, sheet: sheets[i + 1] }));
    this.shown = this.panels.filter((panel) => panel.sheet);
    if (first) this.adopt(header.view);
    this.clock.set(header.frames, header.fps);
    this.buildPanels();
    if (this.shown.length > 1) this.pair.offer(this.shown);
    this.setMode(this.mode);
    this.find(".error").textContent = "";
    if (changed) this.clock.seek(header.view.frame);
    if (first && header.autoplay) this.clock.autoplay();
    this.dirty = true;
  }

  adopt({ mode, left, right, split }) {
    this.mode = MODES.includes(mode) ? mode : "row";
    Object.assign(this.pair, { left, right, split });
  }

  buildPanels() {
    const box = this.find(".panels");
    const count = this.panels.length;
    box.style.setProperty("--columns", Math.max(4, count));
    box.style.setProperty("--columns-narrow", count === 4 ? 4 : 3);
    this.stages = this.panels.map((panel) => {
      const figure = document.createElement("figure");
      figure.className = "panel";
      figure.innerHTML = `<figcaption>${markerPicture(panel)}<span></span><small></small></figcaption>
        <div class="stage"><canvas width="${CANVAS}" height="${CANVAS}" role="img"></canvas><div class="veil"></div><div class="flag"></div></div>
        <dl class="metrics"></dl>`;
      const find = (selector) => figure.querySelector(selector);
      find("figcaption span").textContent = panel.label;
      find("figcaption small").textContent = panel.note;
      find("figcaption").title = find(".stage").title = panel.explanation;
      find(".veil").textContent = panel.absent;
      find(".flag").textContent = panel.flag;
      find(".metrics").append(metricsList(panel));
      const canvas = find("canvas");
      canvas.dataset.panel = panel.id;
      canvas.setAttribute("aria-label", `${panel.label}. ${panel.explanation}`);
      return { panel, canvas, pen: canvas.getContext("2d"), figure };
    });
    box.replaceChildren(...this.stages.map((stage) => stage.figure));
  }

  // ---- view -------------------------------------------------------------------------------------------------
  setMode(mode) {
    this.mode = mode === "slider" && this.shown.length < 2 ? "row" : mode;
    this.find(".panels").hidden = this.mode === "slider";
    this.find(".pair").hidden = this.mode !== "slider";
    for (const button of this.modeButtons) {
      button.setAttribute("aria-pressed", button.dataset.mode === this.mode);
      if (button.dataset.mode === "slider") button.disabled = this.shown.length < 2;
    }
    this.find(".player").dataset.mode = this.mode;
    const words = { difference: `|panel − film| × ${AMPLIFIED}, colour by colour: black is equal`, slider: "Drag the divider over the film" };
    this.find(".legend-words").textContent = words[this.mode] ?? this.header.caption;
    this.dirty = true;
  }

  choose(mode) {
    this.setMode(this.mode === mode ? "row" : mode);
    if (!this.clock.playing) this.commit();
  }

  /** Tell Python where we rest: once per pause or change, never while playing. */
  commit() {
    const { left, right, split } = this.pair;
    this.send?.("view", { frame: this.clock.frame, mode: this.mode, left, right, split });
  }

  // ---- painting ---------------------------------------------------------------------------------------------
  paint() {
    if (!this.header) return;
    this.dirty = false;
    const { frame, frames, fps } = this.clock;
    const seconds = frame / fps;
    const frameOf = (panel) => frameAt(panel, seconds);
    if (this.mode === "slider") this.pair.paint(frameOf);
    for (const { panel, canvas, pen } of this.stages) {
      if (panel.sheet && this.mode === "difference" && panel.id !== "film") {
        drawDifference(pen, panel, frameOf(panel), this.film, CANVAS);
      } else if (panel.sheet) {
        drawSheet(pen, panel, frameOf(panel), CANVAS);
      } else {
        drawSheet(pen, this.film, 0, CANVAS);
      }
      Object.assign(canvas.dataset, { frame, shown: panel.sheet ? frameOf(panel) : 0 });
    }
    this.pair.canvas.dataset.frame = frame;
    this.find(".scrub").value = frame;
    this.find(".time").innerHTML = `${seconds.toFixed(2)} s<span class="long"> · frame ${frame + 1} of ${frames}</span>`;
  }

  // ---- hands ------------------------------------------------------------------------------------------------
  bind() {
    for (const button of this.modeButtons) button.onclick = () => this.choose(button.dataset.mode);
    this.find(".save").onclick = () => this.save();
    const click = (selector) => () => this.find(selector).click();
    const mode = (name) => () => this.choose(name);
    const divide = (by) => () => this.mode === "slider" && this.pair.step(by);
    this.clock.bindKeys({ d: mode("difference"), c: mode("slider"), "[": divide(-5), "]": divide(5) }, click);
  }

  save() {
    const { frame, frames } = this.clock;
    const words = this.mode === "difference" ? " | difference from the film" : "";
    const pictures =
      this.mode === "slider"
        ? [{ canvas: this.pair.canvas, label: this.pair.pair().map((panel) => panel.label).join(" | ") }]
        : this.stages.map(({ canvas, panel }) => ({ canvas, label: panel.label + (panel.id === "film" ? "" : words) }));
    const lines = [...this.header.lines, `Frame ${frame + 1} of ${frames}`];
    saveCanvas(composeFilms(pictures, lines), `${this.header.file_stem}_frame${frame}.png`);
  }

  close() {
    cancelAnimationFrame(this.animation);
    this.sheets?.forEach((picture) => picture?.close());
  }
}

export default function (component) {
  return mount(component, PLAYERS, FilmPlayer, "These films cannot be shown");
}
