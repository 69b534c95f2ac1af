// Lines on the flat map: borders between labels and the map's own edge, as smooth chains in millimetres.

function rimEdges(faces) {
  const seen = new Map();
  for (let t = 0; t < faces.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const [a, b] = [faces[t + k], faces[t + ((k + 1) % 3)]];
      const key = a < b ? a * N_FULL + b : b * N_FULL + a;
      if (seen.has(key)) seen.set(key, null);
      else seen.set(key, [a, b]);
    }
  }
  return [...seen.values()].filter(Boolean);
}

/** Nodes are vertices ("v12"), middles of edges ("e12,40") or centres of triangles ("t7"). */
function nodePlace(mesh) {
  return (node) => {
    const numbers = node.slice(1).split(",").map(Number);
    const at = node[0] === "t" ? [0, 1, 2].map((k) => mesh.faces[3 * numbers[0] + k]) : numbers;
    const mean = (axis) => at.reduce((sum, v) => sum + axis[v], 0) / at.length;
    return [mean(mesh.x), mean(mesh.y)];
  };
}

/** Chains between vertices of different labels, through the middles of the edges they cross. */
function chainsBetween(mesh, labels, rimInside = false) {
  const links = [];
  const { faces } = mesh;
  for (let t = 0; t < faces.length; t += 3) {
    const corner = [faces[t], faces[t + 1], faces[t + 2]];
    const [a, b, c] = [labels[corner[0]], labels[corner[1]], labels[corner[2]]];
    if (a === b && b === c) continue;
    const crossed = [[0, 1], [1, 2], [2, 0]]
      .map(([i, j]) => [corner[i], corner[j]])
      .filter(([i, j]) => labels[i] !== labels[j])
      .map(([i, j]) => (i < j ? `e${i},${j}` : `e${j},${i}`));
    if (crossed.length === 2) links.push(crossed);
    else for (const node of crossed) links.push([node, `t${t / 3}`]);
  }
  if (rimInside) for (const [a, b] of mesh.rim) if (labels[a] && labels[b]) links.push([`v${a}`, `v${b}`]);
  return chained(links, nodePlace(mesh));
}

/** Links between nodes -> polylines [x0, y0, x1, y1, ...], broken where more than two links meet. */
function chained(links, place) {
  const at = new Map();
  links.forEach(([a, b], i) => {
    for (const node of [a, b]) at.get(node)?.push(i) ?? at.set(node, [i]);
  });
  const used = new Uint8Array(links.length);
  const follow = (from, link) => {
    const line = [...place(from)];
    let node = from;
    for (let next = link; next !== undefined; ) {
      used[next] = 1;
      node = links[next][0] === node ? links[next][1] : links[next][0];
      line.push(...place(node));
      next = at.get(node).length === 2 ? at.get(node).find((i) => !used[i]) : undefined;
    }
    return line;
  };
  const lines = [];
  for (const [node, own] of at) if (own.length !== 2) for (const i of own) if (!used[i]) lines.push(follow(node, i));
  links.forEach(([a], i) => used[i] || lines.push(follow(a, i)));
  return lines;
}

/** The outlines of a region ("V1" both sides, "L_V1" one), closed along the map's edge. */
function regionChains(mesh, region) {
  const chosen = new Set(labelsOf(mesh, region));
  if (!chosen.size) return [];
  const inside = Uint8Array.from(mesh.labels, (label) => (chosen.has(label) ? 1 : 0));
  return smoothChains(chainsBetween(mesh, inside, true), 2);
}

/** Ends stay, the points between move to the mean of themselves and their neighbours. */
function smoothChains(lines, times) {
  return lines.map((line) => {
    let points = Float32Array.from(line);
    for (let round = 0; round < times; round++) {
      const next = points.slice();
      for (let i = 2; i < points.length - 2; i++) next[i] = (points[i - 2] + 2 * points[i] + points[i + 2]) / 4;
      points = next;
    }
    return points;
  });
}

function chainPath(lines) {
  const path = new Path2D();
  for (const line of lines) {
    path.moveTo(line[0], line[1]);
    for (let i = 2; i < line.length; i += 2) path.lineTo(line[i], line[i + 1]);
  }
  return path;
}
