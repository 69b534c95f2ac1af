// The inflated hemispheres side by side, drawn by the same raster with depth: works where there is no WebGL, and the
// vertex under the pointer is known without asking the graphics card. Both turn together, mirrored.

const VIEWPOINTS = {
  lateral: [0, 0], medial: [Math.PI, 0], dorsal: [Math.PI / 2, -Math.PI / 2], ventral: [Math.PI / 2, Math.PI / 2],
  posterior: [Math.PI / 2, 0],
};

class SurfaceView {
  constructor() {
    this.look("lateral");
    this.zoom = 1;
  }

  look(name) {
    [this.turn, this.tilt] = VIEWPOINTS[name];
    this.name = name;
  }

  rotate(dx, dy) {
    this.turn += dx;
    this.tilt = Math.max(-Math.PI / 2, Math.min(Math.PI / 2, this.tilt + dy));
    this.name = "";
  }

  /** Right, up and forward of the viewer, in the left hemisphere's coordinates; the right one's are mirrored. */
  axes() {
    const [ct, st, cp, sp] = [Math.cos(this.turn), Math.sin(this.turn), Math.cos(this.tilt), Math.sin(this.tilt)];
    return { right: [st, -ct, 0], up: [-ct * sp, -st * sp, cp], forward: [cp * ct, cp * st, sp] };
  }
}

class SurfaceRaster {
  make(mesh, inflated, view, width, height, fine) {
    const wanted = (devicePixelRatio || 1) * (fine ? 1.5 : 0.75);
    const ratio = Math.min(wanted, Math.sqrt((fine ? 1_600_000 : 300_000) / (width * height)));
    const [w, h] = [Math.max(2, Math.round(width * ratio)), Math.max(2, Math.round(height * ratio))];
    if (this.grid?.width !== w || this.grid?.height !== h) this.grid = makeGrid(w, h, true);
    for (const name of ["x", "y", "z", "light"]) this[name] ??= new Float32Array(N_FULL);
    this.project(inflated, view, w, h);
    this.ratio = ratio;
    this.faces = mesh.closed;
    drawTriangles(this.grid, mesh.closed, this.x, this.y, this.z, -1);
    this.fragments = collectFragments(this.grid, mesh.closed, this.x, this.y, mesh.grey, this.light);
    this.inkBorders(mesh);
  }

  project(inflated, view, width, height) {
    const { right, up, forward } = view.axes();
    const scale = Math.min(width / 364, height / 178) * view.zoom; // mm that must fit, however it is turned
    const lamp = [0, 1, 2].map((k) => -0.82 * forward[k] + 0.45 * up[k] - 0.3 * right[k]);
    const { x, y, z, normals } = inflated;
    for (let v = 0; v < N_FULL; v++) {
      const mirror = v < N_SIDE ? 1 : -1;
      const px = x[v] * mirror;
      this.x[v] = width * (mirror === 1 ? 0.25 : 0.75) + mirror * scale * (right[0] * px + right[1] * y[v]);
      this.y[v] = height / 2 - scale * (up[0] * px + up[1] * y[v] + up[2] * z[v]);
      this.z[v] = forward[0] * px + forward[1] * y[v] + forward[2] * z[v];
      const [nx, ny, nz] = [normals[3 * v] * mirror, normals[3 * v + 1], normals[3 * v + 2]];
      const lit = nx * lamp[0] + ny * lamp[1] + nz * lamp[2];
      this.light[v] = 255 * Math.min(1, 0.5 + 0.56 * Math.max(0, lit));
    }
  }

  /** Borders between regions, one raster pixel wide, go into the shade: they cost nothing when the map changes. */
  inkBorders(mesh) {
    const { fragments, grid } = this;
    const label = (p) => (grid.owner[p] < 0 ? -1 : mesh.labels[mesh.closed[grid.owner[p]]]);
    this.ink = new Uint8Array(fragments.count);
    for (let i = 0; i < fragments.count; i++) {
      const p = fragments.pixel[i];
      const own = label(p);
      if (own !== label(p + 1) || own !== label(p + grid.width)) this.ink[i] = 1;
    }
    this.plain = fragments.shade;
    this.inked = this.plain.map((shade, i) => (this.ink[i] ? shade * 0.62 : shade));
  }

  vertexAt(px, py) {
    if (!this.grid) return -1;
    return vertexUnder(this.grid, this.faces, this.x, this.y, Math.round(px * this.ratio), Math.round(py * this.ratio));
  }

  /** Screen position of a vertex in CSS pixels, and whether it faces the viewer. */
  place(vertex) {
    const [column, row] = [Math.round(this.x[vertex]), Math.round(this.y[vertex])];
    const seen = this.grid.depth[row * this.grid.width + column];
    return { x: this.x[vertex] / this.ratio, y: this.y[vertex] / this.ratio, visible: this.z[vertex] <= seen + 3 };
  }
}

/** Outline of the chosen regions on the surface: fragments whose neighbours are outside, as small squares. */
function drawSurfaceRegion(pen, raster, mesh, chosen) {
  if (!chosen.length) return;
  const { grid, ratio } = raster;
  const inside = (p) => grid.owner[p] >= 0 && chosen.includes(mesh.labels[mesh.closed[grid.owner[p]]]);
  const spots = [];
  for (const p of raster.fragments.pixel) {
    if (inside(p) !== inside(p + 1) || inside(p) !== inside(p + grid.width)) spots.push(p);
  }
  for (const [size, style] of [[4.4, "rgba(255,255,255,.8)"], [2.2, "#111318"]]) {
    pen.fillStyle = style;
    for (const p of spots) pen.fillRect((p % grid.width) / ratio - size / 2, ((p / grid.width) | 0) / ratio - size / 2, size, size);
  }
}
