// The surface: two hemispheres of N_SIDE vertices, the right one's triangles are the left one's with reversed winding.

const N_SIDE = 32492;
const N_FULL = 2 * N_SIDE;

/** Columns of 16-bit differences, low bytes then high bytes, back to whole numbers: Int32Array per column. */
function readDifferences(bytes, columns, rows) {
  const count = columns * rows;
  return Array.from({ length: columns }, (_, column) => {
    const values = new Int32Array(rows);
    let running = 0;
    for (let row = 0, i = column * rows; row < rows; row++, i++) {
      running = ((running + (bytes[i] | (bytes[count + i] << 8))) << 16) >> 16;
      values[row] = running;
    }
    return values;
  });
}

function bothSides(left, keep, offset) {
  const faces = [];
  for (let side = 0; side < 2; side++) {
    for (let t = 0; t < left[0].length; t++) {
      const bit = side * left[0].length + t;
      if (keep && !((keep[bit >> 3] >> (7 - (bit & 7))) & 1)) continue;
      const corner = [left[0][t] & 0xffff, left[1][t] & 0xffff, left[2][t] & 0xffff];
      if (side) faces.push(corner[2] + offset, corner[1] + offset, corner[0] + offset);
      else faces.push(...corner);
    }
  }
  return Uint32Array.from(faces);
}

/** The flat mesh, its sulcal grey, labels, borders, names. `blob` is a message of its own (see the Python packer). */
function readMesh(blob) {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const length = view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(blob.subarray(4, 4 + length)));
  const part = (name) => blob.slice(header[name].offset, header[name].offset + header[name].length);
  const [fx, fy] = readDifferences(part("flat"), 2, N_FULL);
  const left = readDifferences(part("faces"), 3, header.n_faces);
  const mesh = {
    names: header.names,
    x: Float32Array.from(fx, (v) => v / header.units),
    y: Float32Array.from(fy, (v) => v / header.units),
    faces: bothSides(left, part("on_flat"), N_SIDE),
    closed: bothSides(left, null, N_SIDE),
    grey: part("grey"),
    mask: part("mask"),
    labels: new Int16Array(part("labels").buffer),
  };
  mesh.cortex = Uint32Array.from([...mesh.mask.keys()].filter((vertex) => mesh.mask[vertex]));
  mesh.onFlat = new Uint8Array(N_FULL);
  for (const vertex of mesh.faces) mesh.onFlat[vertex] = 1;
  mesh.rim = rimEdges(mesh.faces);
  mesh.box = boundingBox(mesh, (vertex) => mesh.onFlat[vertex]);
  mesh.regions = regionPlaces(mesh);
  mesh.borders = smoothChains(chainsBetween(mesh, mesh.labels), 2);
  mesh.edge = smoothChains(chained(mesh.rim.map(([a, b]) => [`v${a}`, `v${b}`]), nodePlace(mesh)), 1);
  return mesh;
}

function readInflated(bytes, mesh, units) {
  const [x, y, z] = readDifferences(bytes, 3, N_FULL).map((column) => Float32Array.from(column, (v) => v / units));
  for (let side = 0; side < 2; side++) centre(side, x, y, z);
  return { x, y, z, normals: vertexNormals(x, y, z, mesh.closed) };
}

function centre(side, ...axes) {
  for (const axis of axes) {
    const own = axis.subarray(side * N_SIDE, (side + 1) * N_SIDE);
    let low = Infinity;
    let high = -Infinity;
    for (const v of own) {
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
    for (let i = 0; i < own.length; i++) own[i] -= (low + high) / 2;
  }
}

function vertexNormals(x, y, z, faces) {
  const normals = new Float32Array(3 * x.length);
  for (let t = 0; t < faces.length; t += 3) {
    const [a, b, c] = [faces[t], faces[t + 1], faces[t + 2]];
    const [ux, uy, uz] = [x[b] - x[a], y[b] - y[a], z[b] - z[a]];
    const [vx, vy, vz] = [x[c] - x[a], y[c] - y[a], z[c] - z[a]];
    const n = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    for (const corner of [a, b, c]) for (let k = 0; k < 3; k++) normals[3 * corner + k] += n[k];
  }
  for (let i = 0; i < normals.length; i += 3) {
    const size = Math.hypot(normals[i], normals[i + 1], normals[i + 2]) || 1;
    for (let k = 0; k < 3; k++) normals[i + k] /= size;
  }
  return normals;
}

/** Neighbours of every vertex on the closed surface, as {start, list}; made when the first arrow key is pressed. */
function neighbourhood(mesh) {
  if (mesh.neighbours) return mesh.neighbours;
  const sets = Array.from({ length: N_FULL }, () => new Set());
  for (let t = 0; t < mesh.closed.length; t += 3) {
    const corner = [mesh.closed[t], mesh.closed[t + 1], mesh.closed[t + 2]];
    for (const a of corner) for (const b of corner) if (a !== b) sets[a].add(b);
  }
  return (mesh.neighbours = sets.map((set) => [...set]));
}

/** The neighbour that lies in a direction of the flat map (dx right, dy up), or the vertex itself at the rim. */
function stepTo(mesh, vertex, dx, dy) {
  let best = vertex;
  let most = 0.35;
  for (const other of neighbourhood(mesh)[vertex]) {
    if (!mesh.onFlat[other] || !mesh.mask[other]) continue;
    const [ux, uy] = [mesh.x[other] - mesh.x[vertex], mesh.y[other] - mesh.y[vertex]];
    const size = Math.hypot(ux, uy);
    const along = size > 8 ? -1 : (ux * dx + uy * dy) / (size || 1); // across a cut of the map: not a step
    if (along > most) [best, most] = [other, along];
  }
  return best;
}

function boundingBox(mesh, chosen) {
  const box = { left: Infinity, right: -Infinity, low: Infinity, high: -Infinity };
  for (let vertex = 0; vertex < N_FULL; vertex++) {
    if (!chosen(vertex)) continue;
    box.left = Math.min(box.left, mesh.x[vertex]);
    box.right = Math.max(box.right, mesh.x[vertex]);
    box.low = Math.min(box.low, mesh.y[vertex]);
    box.high = Math.max(box.high, mesh.y[vertex]);
  }
  return box;
}

/** Where each region's name may stand: its vertex nearest to the median position; and its extent in mm. */
function regionPlaces(mesh) {
  const members = mesh.names.map(() => []);
  for (let vertex = 0; vertex < N_FULL; vertex++) if (mesh.onFlat[vertex]) members[mesh.labels[vertex]].push(vertex);
  return members.map((list, label) => {
    if (!label || !list.length) return null;
    const middle = (axis) => list.map((v) => axis[v]).sort((p, q) => p - q)[list.length >> 1];
    const [mx, my] = [middle(mesh.x), middle(mesh.y)];
    const far = (v) => (mesh.x[v] - mx) ** 2 + (mesh.y[v] - my) ** 2;
    const vertex = list.reduce((best, v) => (far(v) < far(best) ? v : best), list[0]);
    return { label, vertex, name: mesh.names[label].slice(2), size: Math.sqrt(list.length) * 1.7 };
  });
}

function labelsOf(mesh, region) {
  if (!region) return [];
  const found = mesh.names.indexOf(region);
  if (found > 0) return [found];
  return [mesh.names.indexOf(`L_${region}`), mesh.names.indexOf(`R_${region}`)].filter((label) => label > 0);
}

function regionOf(mesh, vertex) {
  const name = mesh.names[mesh.labels[vertex]];
  return name ? { area: name.slice(2), side: name[0] === "L" ? "left" : "right" } : { area: "", side: vertex < N_SIDE ? "left" : "right" };
}
