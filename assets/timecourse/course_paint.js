// How a time course is drawn: axes, two lines, the film strip, the cursor.

const MARGIN = { left: 44, right: 10, top: 10, axis: 30 };
const STRIP = 46;
const TICKS_S = [2, 4, 10, 20, 30, 60, 120];

/** A canvas at the screen's own resolution, with a pen in CSS pixels. */
function penOf(canvas, width, height) {
  const ratio = globalThis.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

/** Places of times and values on the plot. */
class CourseScale {
  constructor(header, width, height, strip) {
    const { times_s: times } = header;
    Object.assign(this, { width, height, strip });
    this.from = 0;
    this.to = times[times.length - 1] + header.step_s / 2;
    const finite = [...header.measured, ...header.predicted].filter((value) => value !== null);
    const most = Math.max(1, ...finite.map(Math.abs));
    [this.low, this.high] = [-1.06 * most, 1.06 * most];
    this.bottom = height - MARGIN.axis - strip;
  }

  x(time) {
    return MARGIN.left + ((time - this.from) / (this.to - this.from)) * (this.width - MARGIN.left - MARGIN.right);
  }

  y(value) {
    return MARGIN.top + ((this.high - value) / (this.high - this.low)) * (this.bottom - MARGIN.top);
  }

  time(x) {
    return this.from + ((x - MARGIN.left) / (this.width - MARGIN.left - MARGIN.right)) * (this.to - this.from);
  }
}

function drawAxes(pen, scale, ink) {
  pen.font = "12px sans-serif";
  pen.lineWidth = 1;
  const each = [0.5, 1, 2, 5, 10, 20].find((step) => scale.high / step < 2.4) ?? 50;
  const values = [-2, -1, 0, 1, 2].map((k) => k * each).filter((value) => Math.abs(value) < scale.high);
  for (const value of values) {
    pen.globalAlpha = value === 0 ? 0.4 : 0.12;
    pen.strokeStyle = ink;
    pen.beginPath();
    pen.moveTo(MARGIN.left, scale.y(value));
    pen.lineTo(scale.width - MARGIN.right, scale.y(value));
    pen.stroke();
    pen.globalAlpha = 0.75;
    pen.fillStyle = ink;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.fillText(String(value).replace("-", "−"), MARGIN.left - 8, scale.y(value));
  }
  const room = (scale.width - MARGIN.left) / ((scale.to - scale.from) || 1);
  const every = TICKS_S.find((step) => step * room > 54) ?? 240;
  pen.textAlign = "center";
  pen.textBaseline = "top";
  for (let time = 0; time <= scale.to && scale.x(time) < scale.width - 96; time += every) pen.fillText(time, scale.x(time), scale.bottom + 7);
  pen.textAlign = "right";
  pen.fillText("film time (s)", scale.width - MARGIN.right, scale.bottom + 7);
  pen.save();
  pen.translate(11, (MARGIN.top + scale.bottom) / 2);
  pen.rotate(-Math.PI / 2);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText("activity (z)", 0, 0);
  pen.restore();
  pen.globalAlpha = 1;
}

function drawLine(pen, scale, times, values, colour, width) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.lineJoin = "round";
  pen.beginPath();
  let on = false;
  values.forEach((value, k) => {
    if (value === null) on = false;
    else {
      pen[on ? "lineTo" : "moveTo"](scale.x(times[k]), scale.y(value));
      on = true;
    }
  });
  pen.stroke();
}

/** Frame of the sheet that is on screen at a film time; after its end the last one stands. */
function frameAt(sprite, time) {
  return Math.max(0, Math.min(sprite.n - 1, Math.floor(time / sprite.step_s + 1e-6)));
}

function drawFrame(pen, sheet, sprite, frame, x, y, width, height) {
  const left = (frame % sprite.columns) * sprite.width;
  const top = Math.floor(frame / sprite.columns) * sprite.height;
  pen.drawImage(sheet, left, top, sprite.width, sprite.height, x, y, width, height);
}

/** The film under the time axis: as many frames as have room, each where its time is. */
function drawStrip(pen, scale, sheet, sprite) {
  const height = scale.strip - 6;
  const width = (height * sprite.width) / sprite.height;
  const [left, right] = [MARGIN.left, scale.width - MARGIN.right];
  const count = Math.max(1, Math.floor((right - left) / (width + 2)));
  const wide = (right - left) / count;
  for (let i = 0; i < count; i++) {
    const frame = frameAt(sprite, scale.time(left + (i + 0.5) * wide));
    drawFrame(pen, sheet, sprite, frame, left + i * wide + 1, scale.height - height, wide - 2, height);
  }
}
