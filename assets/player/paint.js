// Painting: film frames from a sprite sheet, flow fields from their vectors. Pure functions of their arguments.

const SMOOTH_SIZE = 128;

/** Bilinear sample of one step at grid position (x, y), pixel centres at whole numbers, edges repeated. */
function sampleFlow(flow, grid, step, x, y) {
  const clampedX = Math.min(Math.max(x, 0), grid - 1);
  const clampedY = Math.min(Math.max(y, 0), grid - 1);
  const x0 = Math.min(Math.floor(clampedX), grid - 2);
  const y0 = Math.min(Math.floor(clampedY), grid - 2);
  const fx = clampedX - x0;
  const fy = clampedY - y0;
  const at = (row, column, axis) => flow[2 * ((step * grid + row) * grid + column) + axis];
  return [0, 1].map(
    (axis) =>
      (1 - fy) * ((1 - fx) * at(y0, x0, axis) + fx * at(y0, x0 + 1, axis)) +
      fy * ((1 - fx) * at(y0 + 1, x0, axis) + fx * at(y0 + 1, x0 + 1, axis)),
  );
}

/** One step of one panel as a picture: the vectors are interpolated, then coloured (never the colours). */
function fieldPicture(flow, grid, step, maximum, smooth) {
  const size = smooth ? SMOOTH_SIZE : grid;
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext("2d");
  const image = context.createImageData(size, size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const x = ((column + 0.5) * grid) / size - 0.5;
      const y = ((row + 0.5) * grid) / size - 0.5;
      const [u, v] = sampleFlow(flow, grid, step, x, y);
      writeFlowColour(u, v, maximum, image.data, 4 * (row * size + column));
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

function drawFilm(context, film, sprite, frame, size) {
  const x = (frame % sprite.columns) * sprite.width;
  const y = Math.floor(frame / sprite.columns) * sprite.height;
  context.drawImage(film, x, y, sprite.width, sprite.height, 0, 0, size, size);
}

function drawArrow(context, x, y, dx, dy, head) {
  const length = Math.hypot(dx, dy);
  if (length < 1) {
    context.moveTo(x + 1.2, y);
    context.arc(x, y, 1.2, 0, 7);
    return;
  }
  const [ux, uy] = [dx / length, dy / length];
  const tip = Math.min(head, length * 0.6);
  context.moveTo(x, y);
  context.lineTo(x + dx, y + dy);
  context.moveTo(x + dx - tip * (ux + 0.6 * uy), y + dy - tip * (uy - 0.6 * ux));
  context.lineTo(x + dx, y + dy);
  context.lineTo(x + dx - tip * (ux - 0.6 * uy), y + dy - tip * (uy + 0.6 * ux));
}

/** Arrows every four grid pixels; the view's maximum speed is as long as the gap between two arrows. */
function drawArrows(context, flow, grid, step, maximum, size) {
  const every = 4;
  const cell = size / grid;
  const gain = (every * cell) / maximum;
  context.beginPath();
  for (let row = every / 2; row < grid; row += every) {
    for (let column = every / 2; column < grid; column += every) {
      const [u, v] = sampleFlow(flow, grid, step, column - 0.5, row - 0.5);
      const stretch = Math.min(1.5, Math.hypot(u, v) / maximum) / (Math.hypot(u, v) / maximum || 1);
      drawArrow(context, column * cell, row * cell, u * gain * stretch, v * gain * stretch, size / 40);
    }
  }
  context.lineJoin = context.lineCap = "round";
  context.strokeStyle = "rgba(255,255,255,.75)";
  context.lineWidth = size / 95;
  context.stroke();
  context.strokeStyle = "#16181d";
  context.lineWidth = size / 230;
  context.stroke();
}

/** Diagonal lines: over a grey veil where the truth itself is not valid, bare and faint over predictions. */
function hatchPattern(context, veiled) {
  const tile = new OffscreenCanvas(12, 12);
  const pen = tile.getContext("2d");
  if (veiled) {
    pen.fillStyle = "rgba(120,124,132,.5)";
    pen.fillRect(0, 0, 12, 12);
  }
  pen.strokeStyle = veiled ? "rgba(255,255,255,.85)" : "rgba(90,94,102,.45)";
  pen.lineWidth = veiled ? 2 : 1;
  for (const shift of [-12, 0, 12]) {
    pen.moveTo(shift, 12);
    pen.lineTo(shift + 12, 0);
  }
  pen.stroke();
  return context.createPattern(tile, "repeat");
}

/** Fill every cell of `mask` (step, y, x) that equals `value`. */
function fillCells(context, mask, grid, step, value, size, style) {
  const cell = size / grid;
  context.fillStyle = style;
  context.beginPath();
  for (let row = 0; row < grid; row++) {
    for (let column = 0; column < grid; column++) {
      if (mask[(step * grid + row) * grid + column] !== value) continue;
      context.rect(column * cell, row * cell, cell + 0.5, cell + 0.5);
    }
  }
  context.fill();
}

function drawCrosshair(context, point, vector, maximum, grid, size) {
  const cell = size / grid;
  const [x, y] = [(point.x + 0.5) * cell, (point.y + 0.5) * cell];
  const stroke = (style, width) => {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.stroke();
  };
  context.beginPath();
  context.arc(x, y, cell * 0.9, 0, 7);
  stroke("rgba(255,255,255,.9)", size / 80);
  stroke("#16181d", size / 200);
  if (!vector) return;
  const gain = (5 * cell) / maximum;
  context.beginPath();
  drawArrow(context, x, y, vector[0] * gain, vector[1] * gain, size / 30);
  stroke("rgba(255,255,255,.9)", size / 70);
  stroke("#16181d", size / 180);
}

function shareInvalid(valid, grid, step) {
  const cells = grid * grid;
  let bad = 0;
  for (let i = step * cells; i < (step + 1) * cells; i++) bad += valid[i] ? 0 : 1;
  return bad / cells;
}
