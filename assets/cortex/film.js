// A predicted response beside its film: one clock in seconds drives both.

const PLAY = "M7 4l13 8-13 8z";
const PAUSE = "M6 4h4v16H6zM14 4h4v16h-4z";

function buildFilm() {
  const part = makeFigure("film");
  part.figure.querySelector(".title").textContent = "Film";
  part.picture.setAttribute("aria-label", "The film at the time of the clock");
  part.stage.classList.remove("waiting");
  return part;
}

/** Take the film and the response of a message; without one, stop what plays. */
async function loadFilm(app, header, blobs) {
  const { play } = header;
  app.find(".transport").hidden = !play;
  app.find(".for-play").hidden = !play;
  if (!play) return stopFilm(app);
  if (app.film?.id === play.id) return app.film.seek(app.film.time);
  stopFilm(app);
  const sheet = play.film ? await createImageBitmap(new Blob([blobs.get(play.film.hash)], { type: "image/webp" })) : null;
  app.film = new Film(app, play, blobs.get(play.values.hash), sheet);
  app.film.seek(play.start_s ?? 0);
}

function stopFilm(app) {
  app.film?.close();
  app.film = null;
}

class Film {
  constructor(app, play, codes, sheet) {
    Object.assign(this, { app, play, codes, sheet, id: play.id, time: 0, speed: 1, playing: false });
    this.values = new Float32Array(N_FULL).fill(NaN);
    this.length = play.duration_s;
    const { find } = app;
    find(".play").onclick = () => (this.playing ? this.pause() : this.start());
    find(".scrub").oninput = (event) => this.seek((event.target.value / 1000) * this.length);
    find(".scrub").onchange = () => this.playing || this.tell();
    find(".speed").onchange = (event) => {
      this.speed = Number(event.target.value);
      this.anchor();
    };
  }

  anchor() {
    [this.startedAt, this.startedFrom] = [performance.now(), this.time];
  }

  start() {
    this.playing = true;
    this.anchor();
    this.reflect();
    const tick = (now) => {
      if (!this.playing) return;
      const time = this.startedFrom + ((now - this.startedAt) / 1000) * this.speed;
      if (time >= this.length) {
        this.seek(0);
        this.anchor();
      } else this.seek(time, true);
      this.animation = requestAnimationFrame(tick);
    };
    this.animation = requestAnimationFrame(tick);
  }

  pause() {
    this.playing = false;
    cancelAnimationFrame(this.animation);
    this.reflect();
    this.tell();
  }

  tell() {
    this.app.send("time", Number(this.time.toFixed(2)));
  }

  reflect() {
    this.app.find(".glyph").setAttribute("d", this.playing ? PAUSE : PLAY);
    this.app.find(".play").setAttribute("aria-label", this.playing ? "Pause" : "Play");
    this.app.find(".cortex").dataset.playing = this.playing;
  }

  /** Show the film's frame and the response at a time; between volumes the response is interpolated. */
  seek(time, running = false) {
    this.time = Math.max(0, Math.min(this.length, time));
    if (!running) this.anchor();
    this.showFrame();
    const { first_s, step_s, n } = this.play;
    const at = Math.max(0, Math.min(n - 1, (this.time - first_s) / step_s));
    const quick = Math.round(at * 12) / 12; // twelve looks per volume are enough for the eye
    if (quick !== this.shown || !running) {
      this.shown = quick;
      this.blend(quick);
      this.app.maps[0] = { ...this.app.maps[0], values: this.values };
      this.app.mark("map");
    }
    this.app.find(".scrub").value = (1000 * this.time) / this.length;
    this.app.find(".time").textContent = `${this.time.toFixed(1)} s of ${this.length.toFixed(1)} s`;
    Object.assign(this.app.find(".cortex").dataset, { time: this.time.toFixed(2), volume: at.toFixed(2) });
  }

  blend(at) {
    const { low, step } = this.play.values;
    const { cortex } = this.app.mesh;
    const before = Math.floor(at) * cortex.length;
    const after = Math.min(this.play.n - 1, Math.floor(at) + 1) * cortex.length;
    const share = at - Math.floor(at);
    for (let i = 0; i < cortex.length; i++) {
      const [a, b] = [this.codes[before + i], this.codes[after + i]];
      this.values[cortex[i]] = a === 255 || b === 255 ? NaN : low + (a + share * (b - a)) * step;
    }
  }

  showFrame() {
    const part = this.app.filmPanel;
    const { sprite } = this.play;
    if (!part || !this.sheet || !sprite) return;
    const frame = Math.max(0, Math.min(sprite.n - 1, Math.floor(this.time * sprite.fps)));
    part.stage.style.aspectRatio = `${sprite.width} / ${sprite.height}`;
    if (part.picture.width !== sprite.width) [part.picture.width, part.picture.height] = [sprite.width, sprite.height];
    const [x, y] = [(frame % sprite.columns) * sprite.width, Math.floor(frame / sprite.columns) * sprite.height];
    part.picture.getContext("2d").drawImage(this.sheet, x, y, sprite.width, sprite.height, 0, 0, sprite.width, sprite.height);
    part.picture.dataset.frame = frame;
  }

  close() {
    this.playing = false;
    cancelAnimationFrame(this.animation);
    this.sheet?.close();
  }
}
