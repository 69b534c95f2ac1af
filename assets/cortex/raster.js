// Which triangle lies under each pixel, in the browser, at the screen's own resolution: crisp at every zoom.

/** A grid of pixels to draw triangles into; kept and reused between views. */
function makeGrid(width, height, deep) {
  return { width, height, owner: new Int32Array(width * height), depth: deep ? new Float32Array(width * height) : null };
}

/**
 * Draw all triangles. `x`, `y` in pixels, `z` (nearer is smaller) only with depth. `facing` 0 keeps both windings, 1 or -1
 * one of them. Where flat triangles overlap (a few folds of the release) the first in file order wins.
 */
function drawTriangles(grid, faces, x, y, z, facing) {
  const { width, height, owner, depth } = grid;
  owner.fill(-1);
  depth?.fill(Infinity);
  for (let t = 0, n = faces.length; t < n; t += 3) {
    const a = faces[t];
    const b = faces[t + 1];
    const c = faces[t + 2];
    const ax = x[a], ay = y[a], bx = x[b], by = y[b], cx = x[c], cy = y[c];
    const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
    if (area === 0 || area * facing < 0) continue;
    const low = Math.max(0, Math.ceil(Math.min(ay, by, cy)));
    const high = Math.min(height - 1, Math.floor(Math.max(ay, by, cy)));
    const first = Math.max(0, Math.ceil(Math.min(ax, bx, cx)));
    const last = Math.min(width - 1, Math.floor(Math.max(ax, bx, cx)));
    if (low > high || first > last) continue;
    const inverse = 1 / area;
    const wbx = (cy - ay) * inverse, wby = (ax - cx) * inverse;
    const wcx = (ay - by) * inverse, wcy = (bx - ax) * inverse;
    for (let row = low; row <= high; row++) {
      let wb = (first - ax) * wbx + (row - ay) * wby;
      let wc = (first - ax) * wcx + (row - ay) * wcy;
      for (let column = first, p = row * width + first; column <= last; column++, p++, wb += wbx, wc += wcx) {
        if (wb < -1e-5 || wc < -1e-5 || wb + wc > 1.00001) continue;
        if (depth) {
          const far = z[a] + wb * (z[b] - z[a]) + wc * (z[c] - z[a]);
          if (far >= depth[p]) continue;
          depth[p] = far;
          owner[p] = t;
        } else if (owner[p] < 0) owner[p] = t;
      }
    }
  }
}

/**
 * The covered pixels of a grid: position, first corner of the triangle's entry in `faces`, weights of the second and
 * third corner (0-255), grey of the bare cortex and shade (255 = fully lit).
 */
function collectFragments(grid, faces, x, y, grey, light) {
  const { owner, width } = grid;
  let count = 0;
  for (let p = 0; p < owner.length; p++) if (owner[p] >= 0) count++;
  const found = {
    count, width, height: grid.height, faces,
    pixel: new Uint32Array(count), triangle: new Uint32Array(count),
    second: new Uint8Array(count), third: new Uint8Array(count),
    ground: new Uint8Array(count), shade: light ? new Uint8Array(count) : null,
  };
  for (let p = 0, i = 0; p < owner.length; p++) {
    const t = owner[p];
    if (t < 0) continue;
    const a = faces[t], b = faces[t + 1], c = faces[t + 2];
    const ax = x[a], ay = y[a], ux = x[b] - ax, uy = y[b] - ay, vx = x[c] - ax, vy = y[c] - ay;
    const inverse = 1 / (ux * vy - uy * vx);
    const dx = (p % width) - ax, dy = ((p / width) | 0) - ay;
    const wb = Math.min(1, Math.max(0, (dx * vy - dy * vx) * inverse));
    const wc = Math.min(1 - wb, Math.max(0, (ux * dy - uy * dx) * inverse));
    found.pixel[i] = p;
    found.triangle[i] = t;
    found.second[i] = wb * 255 + 0.5;
    found.third[i] = wc * 255 + 0.5;
    found.ground[i] = grey[a] + wb * (grey[b] - grey[a]) + wc * (grey[c] - grey[a]) + 0.5;
    if (light) found.shade[i] = light[a] + wb * (light[b] - light[a]) + wc * (light[c] - light[a]);
    i++;
  }
  return found;
}

/** The vertex under a pixel, -1 outside: the corner with the largest weight. */
function vertexUnder(grid, faces, x, y, column, row) {
  if (column < 0 || row < 0 || column >= grid.width || row >= grid.height) return -1;
  const t = grid.owner[row * grid.width + column];
  if (t < 0) return -1;
  const far = (v) => (x[v] - column) ** 2 + (y[v] - row) ** 2;
  return [faces[t], faces[t + 1], faces[t + 2]].reduce((best, v) => (far(v) < far(best) ? v : best));
}
