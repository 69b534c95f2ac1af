// Colours of a map. Everything is decided per pixel from values interpolated between the triangle's corners.

const DIMMED = 0.2;
const Q_PER_DECADE = 40;

/** Codes of q (see the Python packer): code k means q <= qOfCode(k); 0.05, 0.01 and 0.001 are exact. */
function qOfCode(code) {
  return code === 52 ? 0.05 : 10 ** (-code / Q_PER_DECADE);
}

function codeOfQ(q) {
  return q >= 0.05 && q < 0.0501 ? 52 : Math.round(-Math.log10(q) * Q_PER_DECADE);
}

/** A map's codes (cortex order, 255 = no value) as float32 over all vertices, NaN where there is none. */
function decodeMap(codes, low, step, mesh) {
  const full = new Float32Array(N_FULL).fill(NaN);
  const { cortex } = mesh;
  for (let i = 0; i < cortex.length; i++) if (codes[i] !== 255) full[cortex[i]] = low + codes[i] * step;
  return full;
}

function hexColour(code) {
  return [0, 2, 4].map((k) => parseInt(code.slice(k, k + 2), 16));
}

/** 256 colours between anchors: Uint8Array (768). */
function colourTable(anchors) {
  const colours = anchors.map(hexColour);
  const table = new Uint8Array(768);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (colours.length - 1);
    const k = Math.min(Math.floor(at), colours.length - 2);
    for (let c = 0; c < 3; c++) table[3 * i + c] = Math.round(colours[k][c] + (at - k) * (colours[k + 1][c] - colours[k][c]));
  }
  return table;
}

/** Value at fragment `i`: corners without a value have no weight; NaN where the nearest corner has none. */
function partial(values, a, b, c, wa, wb, wc) {
  const nearest = wa >= wb && wa >= wc ? a : wb >= wc ? b : c;
  if (Number.isNaN(values[nearest])) return NaN;
  let sum = 0;
  let weight = 0;
  for (const [v, w] of [[a, wa], [b, wb], [c, wc]]) {
    if (Number.isNaN(values[v])) continue;
    sum += w * values[v];
    weight += w;
  }
  return weight ? sum / weight : NaN;
}

/**
 * Paint a map into RGBA pixels.
 *
 * @param rgba Uint8ClampedArray (4 * width * height), cleared by the caller
 * @param fragments see collectFragments
 * @param map {values, reliability, q, ceiling}: Float32Array (64984) or null; q in codes
 * @param style {table, low, high, threshold, opacity, leastCode, leastCeiling, twoWay, classes}
 */
function paintFragments(rgba, fragments, map, style) {
  const { pixel, triangle, second, third, ground, shade, faces, count } = fragments;
  const { table, low, high, threshold, opacity, leastCode, leastCeiling, classes } = style;
  const { values } = map;
  const q = leastCode > 0 ? map.q : null;
  const ceiling = leastCeiling > 0 ? map.ceiling : null;
  const reliability = style.twoWay ? map.reliability : null;
  const gain = 255 / (high - low);
  for (let i = 0; i < count; i++) {
    const t = triangle[i];
    const a = faces[t], b = faces[t + 1], c = faces[t + 2];
    const wb = second[i] / 255, wc = third[i] / 255, wa = 1 - wb - wc;
    let r = ground[i], g = r, blue = r;
    const nearest = wa >= wb && wa >= wc ? a : wb >= wc ? b : c;
    let value = classes ? values[nearest] : wa * values[a] + wb * values[b] + wc * values[c];
    if (value !== value) value = partial(values, a, b, c, wa, wb, wc);
    if (value === value) {
      let alpha = opacity;
      const weak = threshold > 0 && !classes && Math.abs(value) < threshold;
      const dull = weak || (q && !(mean(q, a, b, c, wa, wb, wc) >= leastCode))
        || (ceiling && !(mean(ceiling, a, b, c, wa, wb, wc) >= leastCeiling));
      if (dull) alpha *= DIMMED;
      if (reliability) {
        const share = mean(reliability, a, b, c, wa, wb, wc);
        alpha *= share > 0 ? Math.min(1, share) : 0;
      }
      let k = classes ? Math.round(value) : Math.round((value - low) * gain);
      k = 3 * (k < 0 ? 0 : k > 255 ? 255 : k);
      r += alpha * (table[k] - r);
      g += alpha * (table[k + 1] - g);
      blue += alpha * (table[k + 2] - blue);
    }
    const lit = shade ? shade[i] / 255 : 1;
    const p = 4 * pixel[i];
    rgba[p] = r * lit + 0.5;
    rgba[p + 1] = g * lit + 0.5;
    rgba[p + 2] = blue * lit + 0.5;
    rgba[p + 3] = 255;
  }
}

function mean(values, a, b, c, wa, wb, wc) {
  const sum = wa * values[a] + wb * values[b] + wc * values[c];
  return sum === sum ? sum : partial(values, a, b, c, wa, wb, wc);
}

/** The scale as a strip, or as a square with reliability upwards where two axes are shown. */
function paintLegend(canvas, style, twoWay) {
  const pen = canvas.getContext("2d");
  const rows = twoWay ? 48 : 1;
  canvas.width = 256;
  canvas.height = rows;
  const image = pen.createImageData(256, rows);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < 256; i++) {
      const value = style.low + ((style.high - style.low) * i) / 255;
      let alpha = style.opacity * (Math.abs(value) < style.threshold ? DIMMED : 1);
      if (twoWay) alpha *= 1 - row / (rows - 1);
      for (let c = 0; c < 3; c++) image.data[4 * (row * 256 + i) + c] = 205 + alpha * (style.table[3 * i + c] - 205);
      image.data[4 * (row * 256 + i) + 3] = 255;
    }
  }
  pen.putImageData(image, 0, 0);
}
