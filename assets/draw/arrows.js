// The arrows: their history, what the pointer hits, how they look.

const MOST_ARROWS = 24;
const SHORTEST = 0.02; // of the frame; what is shorter is a pin
const TOUCH = 0.045; // of the frame: how near the pointer has to come

class Arrows {
  constructor() {
    this.list = [];
    this.past = [];
    this.future = [];
    this.selected = -1;
  }

  /** Keep the present state, to come back to, before it is changed. */
  keep() {
    this.past.push(JSON.stringify(this.list));
    if (this.past.length > 200) this.past.shift();
    this.future = [];
  }

  /** Go back (or forth, with the two stacks swapped); true where there was something to go to. */
  travel(from, to) {
    if (!from.length) return false;
    to.push(JSON.stringify(this.list));
    this.list = JSON.parse(from.pop());
    this.selected = -1;
    return true;
  }

  undo() {
    return this.travel(this.past, this.future);
  }

  redo() {
    return this.travel(this.future, this.past);
  }

  replace(list) {
    this.keep();
    this.list = list.slice(0, MOST_ARROWS);
    this.selected = -1;
  }

  remove(index) {
    if (!this.list[index]) return false;
    this.keep();
    this.list.splice(index, 1);
    this.selected = -1;
    return true;
  }

  /** {index, part: "tip" | "tail"} under a point, or null. */
  hit(x, y) {
    let found = null;
    let nearest = TOUCH;
    this.list.forEach((arrow, index) => {
      for (const [part, ax, ay] of [["tail", arrow.x, arrow.y], ["tip", arrow.x + arrow.dx, arrow.y + arrow.dy]]) {
        const distance = Math.hypot(ax - x, ay - y);
        if (distance < nearest) [found, nearest] = [{ index, part }, distance];
      }
    });
    return found;
  }
}

const isPin = (arrow) => arrow.dx === 0 && arrow.dy === 0;
const clampTo = (value, low, high) => Math.min(high, Math.max(low, value));

/** The field in faint arrows, the drawn arrows and pins on top. */
function paintArrows(pen, size, arrows, motion) {
  if (arrows.list.length) {
    pen.beginPath();
    for (let row = 1; row < 12; row++) {
      for (let column = 1; column < 12; column++) {
        const [x, y] = [column / 12, row / 12];
        const [dx, dy] = motion(x, y);
        if (Math.hypot(dx, dy) > 0.004) drawArrow(pen, x * size, y * size, dx * size * 0.5, dy * size * 0.5, size / 70);
      }
    }
    outlined(pen, "rgba(255,255,255,.6)", size / 400, "rgba(0,0,0,.35)", size / 190);
  }
  arrows.list.forEach((arrow, index) => {
    pen.beginPath();
    const colour = index === arrows.selected ? "#ffb000" : "#fff";
    if (isPin(arrow)) {
      pen.arc(arrow.x * size, arrow.y * size, size / 60, 0, 7);
      pen.moveTo(arrow.x * size + size / 200, arrow.y * size);
      pen.arc(arrow.x * size, arrow.y * size, size / 200, 0, 7);
    } else {
      drawArrow(pen, arrow.x * size, arrow.y * size, arrow.dx * size, arrow.dy * size, size / 26);
    }
    outlined(pen, colour, size / 130, "rgba(10,12,16,.85)", size / 62);
  });
}

function outlined(pen, inner, innerWidth, outer, outerWidth) {
  pen.lineJoin = pen.lineCap = "round";
  for (const [style, width] of [[outer, outerWidth], [inner, innerWidth]]) {
    pen.strokeStyle = style;
    pen.lineWidth = width;
    pen.stroke();
  }
}
