// The Middlebury colour wheel (Baker et al. 2011): direction is hue, speed is saturation, no motion is white.
// The same arithmetic as brainviz/flow/wheel.py; tests/browser compares the two.

const WHEEL_SEGMENTS = [
  [15, [255, 0, 0], [255, 255, 0]], // red to yellow
  [6, [255, 255, 0], [0, 255, 0]], // yellow to green
  [4, [0, 255, 0], [0, 255, 255]], // green to cyan
  [11, [0, 255, 255], [0, 0, 255]], // cyan to blue
  [13, [0, 0, 255], [255, 0, 255]], // blue to magenta
  [6, [255, 0, 255], [255, 0, 0]], // magenta to red
];

function buildWheel() {
  const wheel = [];
  for (const [count, from, to] of WHEEL_SEGMENTS) {
    for (let i = 0; i < count; i++) {
      wheel.push(from.map((start, channel) => {
        const moved = Math.floor((255 * i) / count);
        return to[channel] === start ? start : to[channel] > start ? moved : 255 - moved;
      }));
    }
  }
  return wheel;
}

const WHEEL = buildWheel();

/** Write the colour of one vector (u right, v down, any unit; `maximum` in the same unit) into rgba at `offset`. */
function writeFlowColour(u, v, maximum, rgba, offset) {
  if (!Number.isFinite(u) || !Number.isFinite(v)) {
    rgba[offset] = rgba[offset + 1] = rgba[offset + 2] = 128;
    rgba[offset + 3] = 255;
    return;
  }
  const speed = Math.hypot(u, v) / maximum;
  const position = ((Math.atan2(-v, -u) / Math.PI + 1) / 2) * (WHEEL.length - 1);
  const low = Math.floor(position);
  const high = (low + 1) % WHEEL.length;
  const share = position - low;
  for (let channel = 0; channel < 3; channel++) {
    const pure = ((1 - share) * WHEEL[low][channel] + share * WHEEL[high][channel]) / 255;
    const value = speed <= 1 ? 1 - speed * (1 - pure) : pure * 0.75;
    rgba[offset + channel] = Math.floor(255 * value + 1e-4);
  }
  rgba[offset + 3] = 255;
}

/** The wheel as a round picture: the vector at a pixel is that pixel's offset from the centre. */
function paintWheel(canvas) {
  const size = canvas.width;
  const context = canvas.getContext("2d");
  const image = context.createImageData(size, size);
  const radius = size / 2;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const u = x + 0.5 - radius;
      const v = y + 0.5 - radius;
      const distance = Math.hypot(u, v);
      if (distance > radius) continue;
      const offset = 4 * (y * size + x);
      writeFlowColour(u, v, radius, image.data, offset);
      image.data[offset + 3] = 255 * Math.min(1, radius - distance);
    }
  }
  context.putImageData(image, 0, 0);
}
