// From arrows to a smooth motion of the whole frame. The same arithmetic as brainviz/flow/drawn.py; tests compare them.
// Arrows are {x, y, dx, dy} in fractions of the frame; one without length is a pin that holds its place still.

const RIDGE = 1e-3;

function gaussian(ax, ay, bx, by, reach) {
  return Math.exp(-((ax - bx) ** 2 + (ay - by) ** 2) / (2 * reach * reach));
}

/** Solve A w = b for two right-hand sides, by elimination with pivots. `rows` holds [..., bx, by] and is overwritten. */
function solve(rows) {
  const n = rows.length;
  for (let column = 0; column < n; column++) {
    let best = column;
    for (let i = column + 1; i < n; i++) if (Math.abs(rows[i][column]) > Math.abs(rows[best][column])) best = i;
    [rows[column], rows[best]] = [rows[best], rows[column]];
    for (let i = 0; i < n; i++) {
      if (i === column) continue;
      const factor = rows[i][column] / rows[column][column];
      for (let j = column; j < n + 2; j++) rows[i][j] -= factor * rows[column][j];
    }
  }
  return rows.map((row, i) => [row[n] / row[i], row[n + 1] / row[i]]);
}

/** A function (x, y) -> [dx, dy]: Gaussian radial basis interpolation, nowhere longer than the longest arrow. */
function motionOf(drawn, reach) {
  if (!drawn.length) return () => [0, 0];
  const arrows = drawn.map((arrow) => ({ ...arrow })); // the hand goes on moving the others
  const rows = arrows.map((a, i) => [
    ...arrows.map((b, j) => gaussian(a.x, a.y, b.x, b.y, reach) + (i === j ? RIDGE : 0)), a.dx, a.dy,
  ]);
  const weights = solve(rows);
  const longest = Math.max(...arrows.map((a) => Math.hypot(a.dx, a.dy)));
  return (x, y) => {
    let [dx, dy] = [0, 0];
    arrows.forEach((a, i) => {
      const near = gaussian(x, y, a.x, a.y, reach);
      dx += near * weights[i][0];
      dy += near * weights[i][1];
    });
    const length = Math.hypot(dx, dy);
    const kept = length > longest ? longest / length : 1;
    return [dx * kept, dy * kept];
  };
}
