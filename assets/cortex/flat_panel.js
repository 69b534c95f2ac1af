// One flat map: the painted picture, and lines, names and cursor above it. All panels share one view and one raster.

const FINEST = 2_600_000; // pixels of one raster at rest
const LINE = "rgba(24, 28, 36, ";

/** Where the flat map stands on a panel of width x height CSS pixels: centre in mm, CSS pixels per mm. */
class FlatView {
  constructor() {
    this.zoom = 1;
    this.x = 0;
    this.y = 0;
    this.width = 1;
    this.height = 1;
  }

  fit(box, width, height) {
    this.box = box;
    this.width = width;
    this.height = height;
    this.base = Math.min((width - 8) / (box.right - box.left), (height - 8) / (box.high - box.low));
    if (this.zoom === 1) this.reset();
    this.hold();
  }

  reset() {
    this.zoom = 1;
    this.x = (this.box.left + this.box.right) / 2;
    this.y = (this.box.low + this.box.high) / 2;
  }

  get scale() {
    return this.base * this.zoom;
  }

  toScreen(x, y) {
    return [this.width / 2 + (x - this.x) * this.scale, this.height / 2 - (y - this.y) * this.scale];
  }

  toMap(px, py) {
    return [this.x + (px - this.width / 2) / this.scale, this.y - (py - this.height / 2) / this.scale];
  }

  zoomAt(px, py, factor) {
    const [mx, my] = this.toMap(px, py);
    this.zoom = Math.min(40, Math.max(1, this.zoom * factor));
    this.x = mx - (px - this.width / 2) / this.scale;
    this.y = my + (py - this.height / 2) / this.scale;
    this.hold();
  }

  pan(dx, dy) {
    this.x -= dx / this.scale;
    this.y += dy / this.scale;
    this.hold();
  }

  /** Keep the map under the window: its centre stays inside the box, a whole map stays centred. */
  hold() {
    const free = (low, high, span, at) => {
      const half = span / 2 / this.scale;
      return high - low <= 2 * half ? (low + high) / 2 : Math.min(high - half * 0.6, Math.max(low + half * 0.6, at));
    };
    this.x = free(this.box.left, this.box.right, this.width, this.x);
    this.y = free(this.box.low, this.box.high, this.height, this.y);
  }

  show(box, most = 14) {
    const span = Math.max((box.right - box.left) / this.width, (box.high - box.low) / this.height);
    this.zoom = Math.min(most, 0.28 / (span * this.base));
    if (this.zoom < 1.8) return this.reset(); // both hemispheres: the whole map shows them best
    this.x = (box.left + box.right) / 2;
    this.y = (box.low + box.high) / 2;
    this.hold();
  }
}

/** The raster of a view, shared by all flat panels. `fine` uses the screen's own pixels, else half of them. */
class FlatRaster {
  make(mesh, view, fine) {
    const wanted = Math.min(2, devicePixelRatio || 1) * (fine ? 1 : 0.5);
    const ratio = Math.min(wanted, Math.sqrt(FINEST / (view.width * view.height)));
    const [width, height] = [Math.max(2, Math.round(view.width * ratio)), Math.max(2, Math.round(view.height * ratio))];
    if (this.grid?.width !== width || this.grid?.height !== height) this.grid = makeGrid(width, height, false);
    this.x ??= new Float32Array(N_FULL);
    this.y ??= new Float32Array(N_FULL);
    const scale = view.scale * ratio;
    for (let v = 0; v < N_FULL; v++) {
      this.x[v] = width / 2 + (mesh.x[v] - view.x) * scale - 0.5;
      this.y[v] = height / 2 - (mesh.y[v] - view.y) * scale - 0.5;
    }
    this.ratio = ratio;
    this.faces = mesh.faces;
    drawTriangles(this.grid, mesh.faces, this.x, this.y, null, 0);
    this.fragments = collectFragments(this.grid, mesh.faces, this.x, this.y, mesh.grey, null);
  }

  vertexAt(px, py) {
    if (!this.grid) return -1;
    return vertexUnder(this.grid, this.faces, this.x, this.y, Math.floor(px * this.ratio), Math.floor(py * this.ratio));
  }
}

class Panel {
  constructor(picture, lines) {
    this.picture = picture;
    this.lines = lines;
  }

  paint(fragments, map, style) {
    const { width, height } = fragments;
    if (this.picture.width !== width || this.picture.height !== height || !this.image) {
      [this.picture.width, this.picture.height] = [width, height];
      this.image = new ImageData(width, height);
    } else this.image.data.fill(0);
    paintFragments(this.image.data, fragments, map, style);
    this.picture.getContext("2d").putImageData(this.image, 0, 0);
  }

  /** A cleared pen on the upper canvas in CSS pixels. */
  pen(width, height) {
    const ratio = Math.min(3, devicePixelRatio || 1);
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.lines.width !== w || this.lines.height !== h) [this.lines.width, this.lines.height] = [w, h];
    const pen = this.lines.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    return pen;
  }
}

/** Lines in millimetres, drawn `width` CSS pixels wide. */
function strokeMap(pen, view, path, width, style) {
  pen.save();
  const [left, top] = view.toScreen(0, 0);
  pen.translate(left, top);
  pen.scale(view.scale, -view.scale);
  pen.lineWidth = width / view.scale;
  pen.lineJoin = pen.lineCap = "round";
  pen.strokeStyle = style;
  pen.stroke(path);
  pen.restore();
}

/** Borders grow clearer with zoom; names appear where their region has room for them. */
function drawFlatLines(pen, view, paths, options) {
  const near = Math.min(1, Math.max(0, (view.scale - 0.4) / 3)); // 0 on a phone's whole map, 1 well zoomed in
  strokeMap(pen, view, paths.edge, 1 + 0.6 * near, options.edge);
  if (options.outlines) strokeMap(pen, view, paths.borders, 0.55 + 0.8 * near, `${LINE}${0.34 + 0.24 * near})`);
  if (paths.region) {
    strokeMap(pen, view, paths.region, 5, "rgba(255, 255, 255, .85)");
    strokeMap(pen, view, paths.region, 2.4, "#111318");
  }
}

function drawNames(pen, view, mesh, chosen) {
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineJoin = "round";
  const taken = [];
  for (const place of bySize(mesh.regions, chosen)) {
    const picked = chosen.includes(place.label);
    const room = place.size * view.scale;
    const size = Math.max(picked ? 12 : 10.5, Math.min(15, room / 5));
    if (!picked && room < 13 + place.name.length * 7.5) continue;
    let [x, y] = view.toScreen(mesh.x[place.vertex], mesh.y[place.vertex]);
    if (x < -30 || y < -20 || x > view.width + 30 || y > view.height + 20) continue;
    if (picked && room < 46) y -= room / 2 + 10; // beside its outline, not on it
    pen.font = `${picked ? 700 : 600} ${size}px ${view.font}`;
    const half = pen.measureText(place.name).width / 2 + 3;
    if (taken.some((box) => Math.abs(box.x - x) < box.half + half && Math.abs(box.y - y) < size + 3)) continue;
    taken.push({ x, y, half });
    pen.lineWidth = 3;
    pen.strokeStyle = "rgba(255, 255, 255, .82)";
    pen.strokeText(place.name, x, y);
    pen.fillStyle = "#14171d";
    pen.fillText(place.name, x, y);
  }
}

/** The chosen regions' names first, then the larger regions', so that names which would overlap give way to these. */
function bySize(regions, chosen) {
  const rank = (place) => (chosen.includes(place.label) ? 1e6 : 0) + place.size;
  return regions.filter(Boolean).sort((a, b) => rank(b) - rank(a));
}

function drawMark(pen, x, y, pinned) {
  pen.beginPath();
  pen.arc(x, y, pinned ? 6.5 : 5, 0, 7);
  pen.lineWidth = pinned ? 5 : 3.5;
  pen.strokeStyle = "rgba(255, 255, 255, .95)";
  pen.stroke();
  pen.lineWidth = pinned ? 2.4 : 1.4;
  pen.strokeStyle = "#0b0d12";
  pen.stroke();
  if (!pinned) return;
  pen.beginPath();
  pen.arc(x, y, 1.8, 0, 7);
  pen.fillStyle = "#0b0d12";
  pen.fill();
}
