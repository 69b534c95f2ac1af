// The view as one picture: captions, panels as painted, wheel and scale, and where it comes from.

function composeStill(stages, header, frame, wheel) {
  const [side, gap, top, bottom] = [448, 24, 56, 132];
  const canvas = document.createElement("canvas");
  canvas.width = gap + stages.length * (side + gap);
  canvas.height = top + side + bottom;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "#16181d";
  stages.forEach((stage, i) => {
    const x = gap + i * (side + gap);
    pen.font = "600 24px sans-serif";
    pen.fillText(stage.panel.label, x, 36);
    pen.font = "18px sans-serif";
    const note = stage.panel.note ?? "";
    pen.fillText(note, x + side - pen.measureText(note).width, 36);
    pen.drawImage(stage.canvas, x, top, side, side);
  });
  pen.drawImage(wheel, gap, top + side + 20, 92, 92);
  pen.font = "18px sans-serif";
  const lines = [
    `Colour is direction; full colour: ${header.maximum} px of the ${header.grid}×${header.grid} grid per step`,
    `${header.title}, frame ${frame + 1} of ${header.frames}`,
    header.simulated ? "SIMULATED DATA: recovers what was planted, replicates nothing" : "",
  ];
  lines.forEach((line, i) => pen.fillText(line, gap + 116, top + side + 46 + 28 * i));
  return canvas;
}
