// Maps on the cortex: flat panels with one view and one cursor, the inflated surface beside them, one pin for all.

const VIEWS = new WeakMap();
const REST_MS = 130;
const USUAL = {
  scale: "", limit: null, threshold: 0, q: 0, ceiling: 0, opacity: 100, outlines: true, names: true, two: false, mode: "flat",
};

class Cortex {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.view = { ...USUAL };
    this.flat = new FlatView();
    this.raster = new FlatRaster();
    this.turn = new SurfaceView();
    this.solid = new SurfaceRaster();
    this.panels = [];
    this.pinned = null;
    this.region = "";
    this.hover = -1;
    this.stale = {};
    this.sent = { pinned: [], region: [] };
    this.flat.font = getComputedStyle(this.find(".cortex")).fontFamily || "sans-serif";
    this.resize = new ResizeObserver(() => this.mark("shape"));
    this.resize.observe(this.find(".panels"));
    bindControls(this);
    bindKeys(this);
    bindSearch(this);
  }

  // ---- data -------------------------------------------------------------------------------------------------
  /** Take a message; what it names but does not carry, and is not kept here, is asked for once. */
  async load(data) {
    const header = parseMessage(data);
    const turn = (this.turns = (this.turns ?? 0) + 1);
    const first = !this.header;
    if (first) Object.assign(this.view, header.view);
    const absent = [];
    const fetch = async (hash, lasting = false) => {
      const bytes = hash && (lasting ? await lastingBlob(hash) : await keptBlob(hash));
      if (hash && !bytes) absent.push(hash);
      return bytes;
    };
    const surface = await fetch(header.surface, true);
    const wantsSolid = (header.view?.mode ?? "flat") !== "flat" || this.view.mode !== "flat";
    const inflated = wantsSolid || this.inflated ? await fetch(header.inflated, true) : null;
    const blobs = new Map();
    for (const hash of blobsOf(header)) blobs.set(hash, await fetch(hash));
    if (turn !== this.turns) return; // a newer message overtook this one
    if (absent.length) return this.ask(absent);
    this.mesh = await decodedOnce(header.surface, () => readMesh(surface));
    this.paths ??= { borders: chainPath(this.mesh.borders), edge: chainPath(this.mesh.edge), region: null };
    if (inflated) this.inflated = await decodedOnce(header.inflated, () => readInflated(inflated, this.mesh, header.units));
    const maps = [];
    for (const panel of header.panels) maps.push(await readPanel(panel, blobs, this.mesh));
    if (turn !== this.turns) return;
    this.header = header;
    this.maps = maps;
    this.find(".error").textContent = "";
    this.build();
    this.measure();
    this.adopt(header);
    await loadFilm(this, header, blobs);
    this.mark("shape");
  }

  ask(hashes) {
    this.trigger?.("missing", hashes);
  }

  /** What Python says of pin and region counts unless it only echoes what was sent from here. */
  adopt(header) {
    for (const name of ["pinned", "region"]) {
      const said = header[name] ?? (name === "region" ? "" : null);
      const echo = this.sent[name].indexOf(said);
      if (echo >= 0) this.sent[name].splice(0, echo + 1);
      else if (!(name in (this.told ?? {})) || this.told[name] !== said) {
        if (name === "pinned") this.pin(said, false);
        else this.choose(said, false, said !== "" && header.follow);
      }
      (this.told ??= {})[name] = said;
    }
  }

  send(name, value, wait = 0) {
    clearTimeout(this[`${name}Timer`]);
    const now = () => {
      if (name in this.sent) this.sent[name].push(value);
      this.state?.(name, value);
    };
    if (wait) this[`${name}Timer`] = setTimeout(now, wait);
    else now();
  }

  // ---- layout -----------------------------------------------------------------------------------------------
  build() {
    const { mode } = this.view;
    const signature = JSON.stringify([mode, this.header.panels.map((p) => p.id), Boolean(this.header.play)]);
    const box = this.find(".panels");
    if (signature !== this.signature) {
      this.signature = signature;
      this.panels = mode === "surface" ? [] : this.header.panels.map((panel, i) => buildPanel(this, panel, i));
      this.surface = mode === "flat" ? null : buildSurface(this);
      this.filmPanel = this.header.play ? buildFilm() : null;
      const figures = [...this.panels, this.filmPanel, this.surface].filter(Boolean).map((part) => part.figure);
      box.replaceChildren(...figures);
      box.className = `panels ${mode} ${this.filmPanel ? "playing" : ""} ${figures.length <= 2 && this.header.panels.length === 1 ? "one" : ""}`;
      box.style.setProperty("--columns", figures.length === 1 ? 1 : 2);
    }
    if (this.surface) nameSurfacePanels(this);
    this.panels.forEach((part, i) => describePanel(part, this.header.panels[i]));
    reflect(this);
  }

  measure() {
    const part = this.panels[0];
    if (part) {
      const { box } = this.mesh;
      const width = part.stage.clientWidth;
      const height = Math.round(((width - 8) * (box.high - box.low)) / (box.right - box.left)) + 8;
      for (const one of this.panels) one.stage.style.height = `${height}px`;
      this.flat.fit(box, width, height);
    }
    if (this.surface) {
      const width = this.surface.stage.clientWidth;
      this.surface.stage.style.height = `${Math.round(width * 0.5)}px`;
    }
  }

  // ---- painting ---------------------------------------------------------------------------------------------
  /** "shape" > "view" / "turn" > "map" > "lines" > "cursor": each redraws what depends on it. */
  mark(...what) {
    for (const name of what) this.stale[name] = true;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.header && this.mesh && !this.closed) this.draw();
    });
  }

  /** While something moves the raster is coarse; it sharpens when it rests. */
  moving(what) {
    this.coarse = true;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.coarse = false;
      this.mark(what);
    }, REST_MS);
    this.mark(what);
  }

  draw() {
    const { shape, view, turn, map, lines } = this.stale;
    this.stale = {};
    const started = performance.now();
    if (shape) this.measure();
    const repaint = shape || map;
    if (this.panels.length && (shape || view)) this.raster.make(this.mesh, this.flat, !this.coarse);
    if (repaint || view) this.panels.forEach((part, i) => part.paint(this.raster.fragments, this.maps[i], this.style(i)));
    if (shape || view || lines) this.panels.forEach((part) => this.drawLines(part));
    if (this.surface && this.inflated) this.drawSurface(shape || turn, repaint || turn || lines);
    this.drawCursor();
    this.root.querySelector(".cortex").dataset.painted = this.header.id;
    this.root.querySelector(".cortex").dataset.paintMs = (performance.now() - started).toFixed(1);
  }

  style(i) {
    return panelStyle(this.header, i, this.view);
  }

  drawLines(part) {
    const { flat, mesh, view } = this;
    const pen = part.pen(flat.width, flat.height);
    const edge = "rgba(96, 102, 114, .85)";
    drawFlatLines(pen, flat, this.paths, { outlines: view.outlines, edge });
    if (view.names) drawNames(pen, flat, mesh, labelsOf(mesh, this.region));
    part.stage.classList.toggle("zoomed", flat.zoom > 1.001);
  }

  drawSurface(turned, repaint) {
    const { surface, solid, mesh } = this;
    const { clientWidth: width, clientHeight: height } = surface.stage;
    if (turned || !solid.grid) solid.make(mesh, this.inflated, this.turn, width, height, !this.coarse);
    if (!turned && !repaint) return;
    const shown = Math.min(surface.shown ?? 0, this.maps.length - 1);
    solid.fragments.shade = this.view.outlines ? solid.inked : solid.plain;
    surface.panel.paint(solid.fragments, this.maps[shown], this.style(shown));
    const pen = surface.panel.pen(width, height);
    drawSurfaceRegion(pen, solid, mesh, labelsOf(mesh, this.region));
    for (const button of surface.figure.querySelectorAll("[data-look]")) button.setAttribute("aria-pressed", button.dataset.look === this.turn.name);
  }

  /** Ring at the vertex under the pointer and at the pin, in every panel; read-outs. */
  drawCursor() {
    const marks = [[this.pinned, true], [this.hover === this.pinned ? -1 : this.hover, false]];
    for (const part of this.panels) {
      const pen = part.cursor.pen(this.flat.width, this.flat.height);
      for (const [vertex, pin] of marks) {
        if (vertex === null || vertex < 0 || !this.mesh.onFlat[vertex]) continue;
        drawMark(pen, ...this.flat.toScreen(this.mesh.x[vertex], this.mesh.y[vertex]), pin);
      }
    }
    if (this.surface && this.solid.grid) {
      const pen = this.surface.cursor.pen(this.surface.stage.clientWidth, this.surface.stage.clientHeight);
      for (const [vertex, pin] of marks) {
        if (vertex === null || vertex < 0) continue;
        const place = this.solid.place(vertex);
        pen.globalAlpha = place.visible ? 1 : 0.25;
        drawMark(pen, place.x, place.y, pin);
      }
    }
    writeReadouts(this);
  }

  // ---- what the hands do ------------------------------------------------------------------------------------
  pin(vertex, tell = true, wait = 0) {
    if (vertex !== null && !(vertex >= 0 && vertex < N_FULL)) return;
    this.pinned = vertex;
    if (tell) this.send("pinned", vertex, wait);
    this.find(".said").textContent = vertex === null ? "" : describeVertex(this, vertex, 0);
    this.root.querySelector(".cortex").dataset.pinned = vertex ?? "";
    this.mark("cursor");
  }

  choose(region, tell = true, show = true) {
    if (!this.mesh) return;
    const labels = labelsOf(this.mesh, region);
    this.region = labels.length ? region : "";
    this.paths.region = labels.length ? chainPath(regionChains(this.mesh, region)) : null;
    if (tell) this.send("region", this.region);
    this.root.querySelector(".cortex").dataset.region = this.region;
    if (labels.length && show) {
      this.flat.show(boundingBox(this.mesh, (v) => this.mesh.onFlat[v] && labels.includes(this.mesh.labels[v])));
      this.mark("view");
    }
    this.mark("lines");
  }

  change(name, value, ...what) {
    this.view[name] = value;
    reflect(this);
    this.send("view", { ...this.view }, 350);
    this.mark(...(what.length ? what : ["map"]));
  }

  close() {
    this.closed = true;
    this.resize.disconnect();
    cancelAnimationFrame(this.frame);
    stopFilm(this);
  }
}

export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component;
  let cortex = VIEWS.get(parentElement);
  if (!cortex) VIEWS.set(parentElement, (cortex = new Cortex(parentElement)));
  cortex.state = setStateValue;
  cortex.trigger = setTriggerValue;
  if (!sameBytes(data, cortex.data)) {
    cortex.data = data;
    cortex.load(data).catch((error) => {
      cortex.find(".error").textContent = `The map cannot be shown: ${error.message}`;
    });
  }
  return () => {
    cortex.close();
    VIEWS.delete(parentElement);
  };
}
