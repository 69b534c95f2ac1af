// Two films under a divider that is dragged, or moved by keys.

class FilmPair {
  /** `changed` is called while the divider or the pair changes, `rested` when it is let go. */
  constructor(find, { changed, rested }) {
    Object.assign(this, { find, changed, rested, split: 50, left: "", right: "" });
    this.stage = find(".pair .stage");
    this.canvas = this.stage.querySelector("canvas");
    this.pen = this.canvas.getContext("2d");
    this.sides = [find(".side.left"), find(".side.right")];
    this.flags = [...this.stage.querySelectorAll(".flag")];
    this.bind();
  }

  bind() {
    const follow = (event) => {
      const box = this.stage.getBoundingClientRect();
      this.move((100 * (event.clientX - box.left)) / box.width);
    };
    this.stage.onpointerdown = (event) => {
      this.stage.setPointerCapture(event.pointerId);
      this.dragging = true;
      follow(event);
    };
    this.stage.onpointermove = (event) => this.dragging && follow(event);
    this.stage.onpointerup = this.stage.onpointercancel = () => {
      if (this.dragging) this.rested();
      this.dragging = false;
    };
    this.find(".divider").onkeydown = (event) => {
      const by = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, Home: -100, End: 100 }[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      this.step(by);
    };
  }

  step(by) {
    this.move(this.split + by);
    this.rested();
  }

  move(split) {
    this.split = Math.round(Math.max(0, Math.min(100, split)));
    this.changed();
  }

  /** Offer the films there are; a pair that is not among them gives way to the first two. */
  offer(panels) {
    this.panels = panels;
    const ids = panels.map((panel) => panel.id);
    if (!ids.includes(this.left)) this.left = ids[0];
    if (!ids.includes(this.right) || this.right === this.left) this.right = ids.find((id) => id !== this.left) ?? ids[0];
    this.sides.forEach((side, i) => {
      const pick = side.querySelector(".pick");
      pick.replaceChildren(...panels.map((panel) => new Option(panel.label, panel.id)));
      pick.onchange = () => {
        this[i ? "right" : "left"] = pick.value;
        this.describe();
        this.changed();
        this.rested();
      };
    });
    this.describe();
  }

  pair() {
    return [this.left, this.right].map((id) => this.panels.find((panel) => panel.id === id));
  }

  describe() {
    this.pair().forEach((panel, i) => {
      this.sides[i].querySelector(".pick").value = panel.id;
      this.sides[i].querySelector(".about").textContent = panel.explanation;
      this.sides[i].querySelector(".metrics").replaceChildren(metricsList(panel));
      this.flags[i].textContent = panel.flag;
    });
  }

  paint(frameOf) {
    const [left, right] = this.pair();
    drawPair(this.pen, left, frameOf(left), right, frameOf(right), this.split / 100, this.canvas.width);
    const divider = this.find(".divider");
    divider.style.left = `${this.split}%`;
    divider.setAttribute("aria-valuenow", this.split);
    Object.assign(this.canvas.dataset, { left: left.id, right: right.id, split: this.split });
  }
}
