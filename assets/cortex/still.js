// The view as one picture to keep: titles, maps as they are on the screen, legends, and where they come from.

function savePicture(app) {
  const scale = 2;
  const parts = [...app.panels, app.surface].filter(Boolean);
  const width = Math.max(...parts.map((part) => part.stage.clientWidth));
  const block = (part) => part.stage.clientHeight + 78;
  const canvas = document.createElement("canvas");
  canvas.width = scale * (width + 48);
  canvas.height = scale * (parts.reduce((sum, part) => sum + block(part), 0) + 40);
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, width + 48, canvas.height / scale);
  let top = 24;
  for (const part of parts) {
    drawStill(app, pen, part, top, width);
    top += block(part);
  }
  pen.fillStyle = "#555b66";
  pen.font = `12px ${app.flat.font}`;
  pen.fillText(app.header.caption, 24, top + 2);
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${app.header.file_stem}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}

function drawStill(app, pen, part, top, width) {
  const { clientWidth: w, clientHeight: h } = part.stage;
  pen.fillStyle = "#16181d";
  pen.font = `600 16px ${app.flat.font}`;
  pen.fillText(part.figure.querySelector(".title").textContent, 24, top + 10);
  for (const layer of [part.picture, part.lines, part.cursor.lines]) if (layer.width) pen.drawImage(layer, 24, top + 22, w, h);
  const legend = part.under.querySelector(".legend canvas");
  const panel = app.header.panels[part.index ?? 0];
  pen.font = `12px ${app.flat.font}`;
  pen.fillStyle = "#555b66";
  const note = [panel.note, panel.simulated ? "Simulated data" : ""].filter(Boolean).join(" · ");
  pen.fillText(note, 24, top + h + 42);
  if (!legend) return;
  const style = app.style(part.index ?? 0);
  pen.drawImage(legend, width - 196, top + h + 30, 150, 14);
  pen.textAlign = "right";
  pen.fillText(plain(style.low), width - 202, top + h + 42);
  pen.textAlign = "left";
  pen.fillText(`${plain(style.high)} ${panel.unit || panel.symbol || ""}`, width - 40, top + h + 42);
}
