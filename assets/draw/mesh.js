// A picture moved by a mesh: where each place of the new picture came from, then the colours found there.

const CELL = 1 / 32; // of the frame
const MARGIN = 0.5; // the mesh goes on beyond the frame, where its mirror image stands
const COARSE = 128; // places per side at which the origin is found; between them it is interpolated

/** The mesh's corners and their motion, for a motion given as (x, y) -> [dx, dy]; outside, the border's motion holds. */
function buildMesh(motion) {
  const side = Math.round((1 + 2 * MARGIN) / CELL) + 1;
  const [x, y, dx, dy] = [0, 1, 2, 3].map(() => new Float32Array(side * side));
  const clamp = (value) => Math.min(1, Math.max(0, value));
  for (let row = 0, i = 0; row < side; row++) {
    for (let column = 0; column < side; column++, i++) {
      [x[i], y[i]] = [column * CELL - MARGIN, row * CELL - MARGIN];
      [dx[i], dy[i]] = motion(clamp(x[i]), clamp(y[i]));
    }
  }
  const cells = [];
  for (let row = 0; row < side - 1; row++) for (let column = 0; column < side - 1; column++) cells.push(row * side + column);
  const far = (i) => dx[i] * dx[i] + dy[i] * dy[i];
  cells.sort((a, b) => far(a) - far(b)); // what moves more stands in front
  return { side, x, y, dx, dy, cells };
}

/** Where each place of the picture came from after `share` of the motion: Float32Array (COARSE, COARSE, 2), fractions. */
function origins(mesh, share, out = new Float32Array(2 * COARSE * COARSE)) {
  const { side, x, y, dx, dy, cells } = mesh;
  out.fill(NaN);
  const px = (i) => (x[i] + share * dx[i]) * COARSE - 0.5;
  const py = (i) => (y[i] + share * dy[i]) * COARSE - 0.5;
  const triangle = (a, b, c) => {
    const [ax, ay, bx, by, cx, cy] = [px(a), py(a), px(b), py(b), px(c), py(c)];
    const top = Math.max(0, Math.ceil(Math.min(ay, by, cy)));
    const bottom = Math.min(COARSE - 1, Math.floor(Math.max(ay, by, cy)));
    const left = Math.max(0, Math.ceil(Math.min(ax, bx, cx)));
    const right = Math.min(COARSE - 1, Math.floor(Math.max(ax, bx, cx)));
    const area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay);
    if (top > bottom || left > right || Math.abs(area) < 1e-9) return;
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const wb = ((column - ax) * (cy - ay) - (cx - ax) * (row - ay)) / area;
        const wc = ((bx - ax) * (row - ay) - (column - ax) * (by - ay)) / area;
        if (wb < -1e-6 || wc < -1e-6 || wb + wc > 1 + 1e-6) continue;
        const wa = 1 - wb - wc;
        const at = 2 * (row * COARSE + column);
        out[at] = wa * x[a] + wb * x[b] + wc * x[c];
        out[at + 1] = wa * y[a] + wb * y[b] + wc * y[c];
      }
    }
  };
  for (const i of cells) {
    triangle(i, i + 1, i + side);
    triangle(i + 1, i + side + 1, i + side);
  }
  return fillGaps(out);
}

/** Places that nothing has come to take the origin of their left or upper neighbour. */
function fillGaps(out) {
  for (let at = 0; at < out.length; at += 2) {
    if (!Number.isNaN(out[at])) continue;
    const from = at % (2 * COARSE) ? at - 2 : at - 2 * COARSE;
    out[at] = from >= 0 ? out[from] : 0;
    out[at + 1] = from >= 0 ? out[from + 1] : 0;
  }
  return out;
}

/** A whole number reflected into 0 .. size - 1. */
function mirrored(i, size) {
  const period = 2 * size - 2;
  const turned = ((i % period) + period) % period;
  return turned < size ? turned : period - turned;
}

/** Write the moved picture: `source` and `target` are square ImageData of one size. */
function remap(source, places, target) {
  const size = source.width;
  const [from, to] = [source.data, target.data];
  const ratio = COARSE / size;
  for (let row = 0, at = 0; row < size; row++) {
    const cy = Math.min(COARSE - 1, Math.max(0, (row + 0.5) * ratio - 0.5));
    const y0 = Math.min(COARSE - 2, Math.floor(cy));
    const fy = cy - y0;
    for (let column = 0; column < size; column++, at += 4) {
      const cx = Math.min(COARSE - 1, Math.max(0, (column + 0.5) * ratio - 0.5));
      const x0 = Math.min(COARSE - 2, Math.floor(cx));
      const fx = cx - x0;
      const i = 2 * (y0 * COARSE + x0);
      const mix = (k) =>
        (1 - fy) * ((1 - fx) * places[k] + fx * places[k + 2]) +
        fy * ((1 - fx) * places[k + 2 * COARSE] + fx * places[k + 2 * COARSE + 2]);
      const sx = mix(i) * size - 0.5;
      const sy = mix(i + 1) * size - 0.5;
      const [u, v] = [Math.floor(sx), Math.floor(sy)];
      const [gu, gv] = [sx - u, sy - v];
      const a = 4 * (mirrored(v, size) * size + mirrored(u, size));
      const b = 4 * (mirrored(v, size) * size + mirrored(u + 1, size));
      const c = 4 * (mirrored(v + 1, size) * size + mirrored(u, size));
      const d = 4 * (mirrored(v + 1, size) * size + mirrored(u + 1, size));
      for (let k = 0; k < 3; k++) {
        to[at + k] = (1 - gv) * ((1 - gu) * from[a + k] + gu * from[b + k]) + gv * ((1 - gu) * from[c + k] + gu * from[d + k]);
      }
      to[at + 3] = 255;
    }
  }
}
