// The figures around the maps: captions, legends, read-outs, and how the settings become a style.

function blobsOf(header) {
  const places = header.panels.flatMap((panel) => [panel.values, panel.reliability, panel.q, panel.ceiling]);
  return [...new Set([...places, header.play?.values, header.play?.film].filter(Boolean).map((place) => place.hash))];
}

async function readPanel(panel, blobs, mesh) {
  const read = (place) =>
    place && decodedOnce(`${place.hash}/${place.low}/${place.step}`, async () => decodeMap(blobs.get(place.hash), place.low, place.step, mesh));
  return { values: await read(panel.values), reliability: await read(panel.reliability), q: await read(panel.q), ceiling: await read(panel.ceiling) };
}

/** Scales that suit a panel: those of its kind, the panel's own first. */
function scaleOf(header, panel, view) {
  const wanted = header.scales[view.scale];
  return wanted && wanted.kind === header.scales[panel.colormap].kind ? view.scale : panel.colormap;
}

/** One factor stretches the limits of all panels; the first panel's upper limit is what the visitor types. */
function limitsOf(header, i, view) {
  const factor = view.limit > 0 ? view.limit / header.panels[0].limits[1] : 1;
  const [low, high] = header.panels[i].limits;
  return [low < 0 ? low * factor : low, high * factor];
}

function panelStyle(header, i, view) {
  const panel = header.panels[i];
  const classes = panel.classes?.length ? panel.classes : null;
  const [low, high] = limitsOf(header, i, view);
  const table = classes ? new Uint8Array(768) : colourTable(header.scales[scaleOf(header, panel, view)].anchors);
  classes?.forEach((one, k) => table.set(hexColour(one.colour), 3 * k));
  return {
    table, low, high, classes, threshold: view.threshold, opacity: view.opacity / 100, twoWay: view.two,
    leastCode: view.q > 0 ? codeOfQ(view.q) : 0, leastCeiling: view.ceiling,
  };
}

function stageMarkup(label) {
  return `<figcaption><span class="title"></span><small></small></figcaption>
    <div class="stage waiting"><canvas class="picture" role="img" aria-label="${label}"></canvas><canvas class="lines"></canvas>
      <canvas class="cursor"></canvas><div class="tip" hidden></div></div><div class="under"></div>`;
}

function makeFigure(kind) {
  const figure = document.createElement("figure");
  figure.className = `panel ${kind}`;
  figure.innerHTML = stageMarkup("");
  const stage = figure.querySelector(".stage");
  const part = new Panel(figure.querySelector(".picture"), figure.querySelector(".lines"));
  part.cursor = new Panel(null, figure.querySelector(".cursor"));
  return Object.assign(part, { figure, stage, tip: figure.querySelector(".tip"), under: figure.querySelector(".under") });
}

function buildPanel(app, panel, i) {
  const part = makeFigure("flat");
  part.index = i;
  part.under.innerHTML = `<div class="readout"></div><div class="legend"></div>`;
  part.readout = part.under.querySelector(".readout");
  part.picture.dataset.panel = panel.id;
  bindFlat(app, part);
  return part;
}

function describePanel(part, panel) {
  part.figure.querySelector(".title").textContent = panel.title;
  part.figure.querySelector("figcaption").title = panel.explanation || panel.title;
  part.figure.querySelector("small").textContent = panel.note ?? "";
  part.picture.setAttribute("aria-label", panel.alt);
  part.stage.classList.remove("waiting");
}

function buildSurface(app) {
  const part = makeFigure("surface");
  part.panel = part;
  part.figure.querySelector(".title").textContent = "Inflated surface";
  const looks = Object.keys(VIEWPOINTS).map((name) => `<button type="button" data-look="${name}" aria-pressed="false">${name}</button>`);
  part.under.innerHTML = `<div class="looks" role="group" aria-label="Seen from">${looks.join("")}</div><select class="which" aria-label="Map on the surface"></select>`;
  part.picture.setAttribute("aria-label", "The same map on the inflated left and right hemisphere");
  part.stage.classList.remove("waiting");
  bindSurface(app, part);
  return part;
}

function nameSurfacePanels(app) {
  const select = app.surface.under.querySelector(".which");
  select.hidden = app.header.panels.length < 2;
  select.replaceChildren(...app.header.panels.map((panel, i) => new Option(panel.title, i)));
  app.surface.shown = Math.min(app.surface.shown ?? 0, app.header.panels.length - 1);
  select.value = app.surface.shown;
  select.onchange = () => {
    app.surface.shown = Number(select.value);
    app.mark("map");
  };
  const only = app.header.panels.length === 1 && app.view.mode === "surface";
  app.surface.figure.querySelector(".title").textContent = only ? app.header.panels[0].title : "Inflated surface";
}

/** A limit as short as it can be said: 0.3, not 0.300. */
function plain(value) {
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

// ---- words --------------------------------------------------------------------------------------------------
function number(value, span = 1) {
  const digits = span >= 100 ? 0 : span >= 20 ? 1 : span >= 2 ? 2 : 3;
  return value.toFixed(digits).replace("-", "−");
}

function describeQ(code) {
  const q = qOfCode(code);
  return code >= 254 ? "q < 0.000001" : q < 0.001 ? `q ≤ ${q.toExponential(0)}` : `q ≤ ${q.toFixed(q < 0.01 ? 4 : 3)}`;
}

/** Value and companions of a vertex in one panel. */
function describeValue(app, vertex, i) {
  const map = app.maps[i];
  const panel = app.header.panels[i];
  const value = map.values[vertex];
  if (Number.isNaN(value)) return app.mesh.mask[vertex] ? "no value" : "medial wall";
  const words = [panel.classes?.length ? panel.classes[Math.round(value)]?.label ?? "" : `${panel.symbol || ""} ${number(value, panel.limits[1])}${panel.unit ? ` ${panel.unit}` : ""}`.trim()];
  if (map.q && !Number.isNaN(map.q[vertex])) words.push(describeQ(map.q[vertex]));
  if (map.ceiling && !Number.isNaN(map.ceiling[vertex])) words.push(`ceiling ${number(map.ceiling[vertex])}`);
  if (map.reliability && !Number.isNaN(map.reliability[vertex])) words.push(`reliability ${number(map.reliability[vertex])}`);
  return words.join(" · ");
}

function describePlace(app, vertex) {
  const { area, side } = regionOf(app.mesh, vertex);
  return `${area || "no region"} · ${side} · vertex ${vertex}`;
}

function describeVertex(app, vertex, i) {
  return `${describePlace(app, vertex)}: ${describeValue(app, vertex, i)}`;
}

function writeReadouts(app) {
  const hovered = app.hover >= 0;
  const vertex = hovered ? app.hover : app.pinned;
  app.panels.forEach((part, i) => {
    const nothing = app.header.panels[i].simulated ? "Simulated data" : "";
    part.readout.textContent = vertex === null || vertex < 0 ? nothing : `${hovered ? "" : "Pinned: "}${describePlace(app, vertex)} · ${describeValue(app, vertex, i)}`;
  });
  for (const part of [...app.panels, app.surface].filter(Boolean)) {
    const own = hovered && app.over === part;
    part.tip.hidden = !own;
    if (!own) continue;
    const { area, side } = regionOf(app.mesh, vertex);
    const name = document.createElement("b");
    name.textContent = area || "no region";
    part.tip.replaceChildren(name, ` ${side}`, document.createElement("br"), describeValue(app, vertex, part.index ?? part.shown ?? 0));
    const [x, y] = app.at;
    const width = part.tip.offsetWidth;
    part.tip.style.left = `${x + 16 + width > part.stage.clientWidth ? Math.max(0, x - width - 14) : x + 16}px`;
    part.tip.style.top = `${Math.min(Math.max(2, y + 14), part.stage.clientHeight - part.tip.offsetHeight - 2)}px`;
  }
}

function writeLegend(app, part, i) {
  const panel = app.header.panels[i];
  const style = app.style(i);
  const box = part.under.querySelector(".legend");
  if (style.classes) {
    box.className = "legend kinds";
    box.replaceChildren(...style.classes.map((one) => {
      const item = document.createElement("span");
      item.className = "swatch";
      item.innerHTML = `<i style="background:#${one.colour}"></i>`;
      item.append(one.label);
      return item;
    }));
    return;
  }
  const two = app.view.two && Boolean(app.maps[i].reliability);
  box.className = two ? "legend two" : "legend";
  box.innerHTML = `<span class="low"></span><canvas role="img"></canvas><span class="high"></span><span class="unit"></span>`;
  box.querySelector(".low").textContent = plain(style.low);
  box.querySelector(".high").textContent = plain(style.high);
  box.querySelector(".unit").textContent = two ? `${panel.unit || panel.symbol || ""} × reliability` : panel.unit || panel.symbol || "";
  box.querySelector("canvas").setAttribute("aria-label", `Colours from ${plain(style.low)} to ${plain(style.high)}${two ? ", reliability from bottom to top" : ""}`);
  paintLegend(box.querySelector("canvas"), style, two);
}
