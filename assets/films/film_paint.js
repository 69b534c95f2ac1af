// Painting of films from sprite sheets. Pure functions of their arguments.

const AMPLIFIED = 2; // differences are shown twice as bright as they are

/** The frame of a film that is on screen at a time; the last one stays. */
function frameAt(film, seconds) {
  return Math.max(0, Math.min(film.frames - 1, Math.floor(seconds * film.fps + 1e-4)));
}

/** One frame of a sheet over the whole canvas. */
function drawSheet(pen, film, frame, size) {
  const { columns, width, height } = film.sprite;
  const x = (frame % columns) * width;
  const y = Math.floor(frame / columns) * height;
  pen.drawImage(film.sheet, x, y, width, height, 0, 0, size, size);
}

/** |panel - film|, colour by colour, `AMPLIFIED`; the film's frame is that of the panel's own time. */
function drawDifference(pen, panel, frame, film, size) {
  pen.globalCompositeOperation = "source-over";
  drawSheet(pen, panel, frame, size);
  pen.globalCompositeOperation = "difference";
  drawSheet(pen, film, frameAt(film, frame / panel.fps), size);
  pen.globalCompositeOperation = "lighter";
  for (let i = 1; i < AMPLIFIED; i++) pen.drawImage(pen.canvas, 0, 0);
  pen.globalCompositeOperation = "source-over";
}

/** Two films in one picture: the left one up to `share` of the width. */
function drawPair(pen, left, leftFrame, right, rightFrame, share, size) {
  drawSheet(pen, right, rightFrame, size);
  pen.save();
  pen.beginPath();
  pen.rect(0, 0, share * size, size);
  pen.clip();
  drawSheet(pen, left, leftFrame, size);
  pen.restore();
}

/** Figures under a panel, or why there are none. */
function metricsList(panel) {
  const list = document.createDocumentFragment();
  for (const { label, value, title } of panel.metrics) {
    const item = document.createElement("div");
    item.title = title;
    const [name, number] = [document.createElement("dt"), document.createElement("dd")];
    name.textContent = label;
    number.textContent = value;
    item.append(name, number);
    list.append(item);
  }
  if (!panel.metrics.length && panel.words) {
    const words = document.createElement("p");
    words.textContent = panel.words;
    list.append(words);
  }
  return list;
}

/** The view as one picture: captions, panels as painted, and where they come from. */
function composeFilms(pictures, lines) {
  const [side, gap, top] = [448, 24, 56];
  const canvas = document.createElement("canvas");
  canvas.width = gap + pictures.length * (side + gap);
  canvas.height = top + side + 24 + 28 * lines.length;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "#16181d";
  pictures.forEach(({ canvas: painted, label }, i) => {
    const x = gap + i * (side + gap);
    pen.font = "600 22px sans-serif";
    pen.fillText(label, x, 36, side);
    pen.drawImage(painted, x, top, side, side);
  });
  pen.font = "18px sans-serif";
  lines.forEach((line, i) => pen.fillText(line, gap, top + side + 32 + 28 * i, canvas.width - 2 * gap));
  return canvas;
}
