// The clock of a player: one frame index, moved by time, by hand or by keys. Its owner paints every panel from it.

const PLAY = "M7 4l13 8-13 8z";
const PAUSE = "M6 4h4v16H6zM14 4h4v16h-4z";

class Clock {
  /** `moved` is called whenever the frame changes, `rested` when the clock comes to rest: never while it runs. */
  constructor(find, { moved, rested }) {
    Object.assign(this, { find, moved, rested, frame: 0, frames: 0, fps: 1, playing: false, speed: 1, loop: true });
    this.seek(0);
    this.bind();
  }

  /** How many frames there are, and how many of them a second holds. */
  set(frames, fps) {
    Object.assign(this, { frames, fps });
    this.find(".scrub").max = frames - 1;
    if (this.frame >= frames) this.seek(frames - 1);
    else this.seek(this.frame);
  }

  advance(now) {
    if (!this.playing || !this.frames) return;
    let frame = this.startFrame + Math.floor(((now - this.startTime) / 1000) * this.fps * this.speed);
    if (frame >= this.frames) {
      if (this.loop) frame %= this.frames;
      else return this.pause(this.frames - 1);
    }
    if (frame !== this.frame) {
      this.frame = frame;
      this.moved();
    }
  }

  seek(frame) {
    this.frame = Math.max(0, Math.min((this.frames || 1) - 1, frame));
    this.startFrame = this.frame;
    this.startTime = performance.now();
    this.moved();
  }

  play() {
    if (!this.frames) return;
    if (!this.loop && this.frame >= this.frames - 1) this.frame = 0;
    this.playing = true;
    this.seek(this.frame);
    this.reflect();
  }

  /** Play unless the visitor asked for less motion. */
  autoplay() {
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.play();
  }

  pause(frame = this.frame) {
    this.playing = false;
    this.seek(frame);
    this.reflect();
    this.rested();
  }

  reflect() {
    this.find(".glyph").setAttribute("d", this.playing ? PAUSE : PLAY);
    this.find(".play").setAttribute("aria-label", this.playing ? "Pause" : "Play");
    this.find(".player").dataset.playing = this.playing;
  }

  faster(by) {
    const select = this.find(".speed");
    select.selectedIndex = Math.max(0, Math.min(select.options.length - 1, select.selectedIndex + by));
    select.onchange({ target: select });
  }

  bind() {
    const { find } = this;
    find(".play").onclick = () => (this.playing ? this.pause() : this.play());
    find(".previous").onclick = () => this.pause(this.frame - 1);
    find(".next").onclick = () => this.pause(this.frame + 1);
    find(".scrub").oninput = (event) => this.seek(Number(event.target.value));
    find(".scrub").onchange = () => this.playing || this.rested();
    find(".speed").onchange = (event) => {
      this.speed = Number(event.target.value);
      this.seek(this.frame);
    };
    find(".loop").onclick = (event) => {
      this.loop = !this.loop;
      event.currentTarget.setAttribute("aria-pressed", this.loop);
    };
    find(".ask").onclick = () => this.toggleHelp();
  }

  toggleHelp(shown = this.find(".help").hidden) {
    this.find(".help").hidden = !shown;
    this.find(".ask").setAttribute("aria-expanded", shown);
  }

  /** The keys that every player has, and the owner's own; `click` names a button to press. */
  bindKeys(own, click) {
    const keys = {
      " ": click(".play"), ArrowLeft: click(".previous"), ArrowRight: click(".next"),
      Home: () => this.pause(0), End: () => this.pause(this.frames - 1), l: click(".loop"), p: click(".save"),
      "-": () => this.faster(-1), "+": () => this.faster(1), "=": () => this.faster(1),
      "?": () => this.toggleHelp(), Escape: () => this.toggleHelp(false), ...own,
    };
    this.find(".player").onkeydown = (event) => {
      const field = event.target.closest("input, select, [role=slider]");
      if (event.ctrlKey || event.metaKey || event.altKey || (field && event.key !== "?" && event.key !== "Escape")) return;
      if (event.key === " " && event.target.closest("button")) return;
      const action = keys[event.key] ?? keys[event.key.toLowerCase()];
      if (!action || !this.frames) return;
      event.preventDefault();
      event.stopPropagation();
      action();
    };
  }
}

/** A canvas as a file to keep. */
function saveCanvas(canvas, name) {
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}
