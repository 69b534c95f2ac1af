// Words and marks around the panels: captions, read-outs, legend.

const MARKERS = {
  circle: '<circle cx="6" cy="6" r="5"/>',
  square: '<rect x="1.5" y="1.5" width="9" height="9"/>',
  diamond: '<path d="M6 0l6 6-6 6-6-6z"/>',
  "triangle-up": '<path d="M6 1l6 10.5H0z"/>',
  "triangle-down": '<path d="M6 11L0 .5h12z"/>',
  cross: '<path d="M4 0h4v4h4v4H8v4H4V8H0V4h4z"/>',
  x: '<path d="M2.5 0L6 3.5 9.5 0 12 2.5 8.5 6 12 9.5 9.5 12 6 8.5 2.5 12 0 9.500 3.5 6 0 2.500z"/>',
  hexagon: '<path d="M6 0l5.200 3v6L6 12 .8 9V3z"/>',
  star: '<path d="M6 0l1.700 4H12L8.600 6.800 9.800 11.400 6 8.700l-3.800 2.700 1.200-4.600L0 4h4.300z"/>',
};

function markerPicture(panel) {
  if (!panel.marker) return "";
  return `<svg viewBox="0 0 12 12" aria-hidden="true" fill="${panel.colour}">${MARKERS[panel.marker] ?? MARKERS.circle}</svg>`;
}

const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;

/** Speed in percent of the frame's width per second: the unit that does not depend on the grid or the step. */
function percentPerSecond(speed, grid, seconds) {
  return (100 * speed) / (grid * seconds);
}

function describeVector([u, v], grid, seconds) {
  const speed = Math.hypot(u, v);
  return `→ ${signed(u)}  ↓ ${signed(v)}  ·  ${speed.toFixed(2)} px/step  ·  ${percentPerSecond(speed, grid, seconds).toFixed(1)} %/s`;
}

function meanSpeed(flow, valid, grid, step) {
  let sum = 0;
  let count = 0;
  for (let i = step * grid * grid; i < (step + 1) * grid * grid; i++) {
    if (!valid[i]) continue;
    sum += Math.hypot(flow[2 * i], flow[2 * i + 1]);
    count++;
  }
  return count ? sum / count : NaN;
}

function describeMean(speed, grid, seconds) {
  if (Number.isNaN(speed)) return "no valid flow in this step";
  return `mean ${speed.toFixed(2)} px/step  ·  ${percentPerSecond(speed, grid, seconds).toFixed(1)} %/s`;
}

/** Each panel's vector as a dot on the wheel. */
function wheelDots(svg, vectors, maximum) {
  svg.innerHTML = vectors
    .map(({ vector: [u, v], colour }) => {
      const stretch = Math.min(1, Math.hypot(u, v) / maximum) / (Math.hypot(u, v) || 1);
      return `<circle cx="${u * stretch}" cy="${v * stretch}" r=".11" fill="${colour}" stroke="#fff" stroke-width=".05"/>`;
    })
    .join("");
}
