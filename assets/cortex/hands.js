// Pointer, wheel, pinch, keys, buttons and search. Python hears of a pin or a setting, never of a movement.

const CLICK_PX = 4;

function localPoint(stage, event) {
  const box = stage.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

/** Drags and clicks on a stage. `acts`: drag(dx, dy), pinch(x, y, factor), click(x, y), hover(x, y), wheel(x, y, factor) */
function bindStage(stage, acts) {
  const down = new Map();
  let moved = 0;
  const spread = () => {
    const [a, b] = [...down.values()];
    return { x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2, size: Math.hypot(a[0] - b[0], a[1] - b[1]) };
  };
  stage.onpointerdown = (event) => {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    down.set(event.pointerId, localPoint(stage, event));
    if (down.size === 1) moved = 0;
  };
  stage.onpointermove = (event) => {
    const at = localPoint(stage, event);
    const before = down.get(event.pointerId);
    if (!before) return event.pointerType === "touch" || acts.hover(...at);
    const old = down.size === 2 ? spread() : null;
    down.set(event.pointerId, at);
    moved += Math.hypot(at[0] - before[0], at[1] - before[1]);
    if (old) {
      const now = spread();
      acts.pinch(now.x, now.y, now.size / (old.size || 1));
    } else if (moved > CLICK_PX) {
      stage.classList.add("held");
      acts.drag(at[0] - before[0], at[1] - before[1]);
    }
  };
  const release = (event) => {
    const single = down.size === 1;
    if (!down.delete(event.pointerId)) return;
    stage.classList.remove("held");
    if (event.type === "pointerup" && single && moved <= CLICK_PX) acts.click(...localPoint(stage, event));
  };
  stage.onpointerup = release;
  stage.onpointercancel = release;
  stage.onpointerleave = () => acts.leave();
  stage.addEventListener("wheel", (event) => {
    const factor = Math.exp(-Math.max(-60, Math.min(60, event.deltaY * (event.deltaMode ? 18 : 1))) / 240);
    if (acts.wheel(...localPoint(stage, event), factor)) event.preventDefault();
  }, { passive: false });
  stage.ondblclick = acts.reset;
}

function hoverActs(app, part, vertexAt) {
  return {
    hover(x, y) {
      Object.assign(app, { hover: vertexAt(x, y), over: part, at: [x, y] });
      app.mark("cursor");
    },
    leave() {
      app.hover = -1;
      app.mark("cursor");
    },
    click(x, y) {
      const vertex = vertexAt(x, y);
      if (vertex >= 0) app.pin(vertex);
      app.find(".cortex").focus({ preventScroll: true });
    },
  };
}

function bindFlat(app, part) {
  bindStage(part.stage, {
    ...hoverActs(app, part, (x, y) => app.raster.vertexAt(x, y)),
    drag(dx, dy) {
      app.flat.pan(dx, dy);
      app.moving("view");
    },
    pinch(x, y, factor) {
      app.flat.zoomAt(x, y, factor);
      app.moving("view");
    },
    wheel(x, y, factor) {
      if (factor < 1 && app.flat.zoom <= 1) return false; // the page scrolls on
      app.flat.zoomAt(x, y, factor);
      app.moving("view");
      return true;
    },
    reset: () => wholeMap(app),
  });
}

function bindSurface(app, part) {
  const zoom = (factor) => {
    app.turn.zoom = Math.min(6, Math.max(1, app.turn.zoom * factor));
    app.moving("turn");
  };
  bindStage(part.stage, {
    ...hoverActs(app, part, (x, y) => app.solid.vertexAt(x, y)),
    drag(dx, dy) {
      app.turn.rotate(-dx * 0.008, -dy * 0.008);
      app.moving("turn");
    },
    pinch: (x, y, factor) => zoom(factor),
    wheel(x, y, factor) {
      if (factor < 1 && app.turn.zoom <= 1) return false;
      zoom(factor);
      return true;
    },
    reset() {
      app.turn.zoom = 1;
      app.turn.look("lateral");
      app.mark("turn");
    },
  });
  for (const button of part.under.querySelectorAll("[data-look]")) {
    button.onclick = () => {
      app.turn.look(button.dataset.look);
      app.mark("turn");
    };
  }
}

function wholeMap(app) {
  app.flat.reset();
  app.mark("view");
}

function zoomBy(app, factor) {
  const at = app.pinned !== null && app.mesh?.onFlat[app.pinned] ? app.flat.toScreen(app.mesh.x[app.pinned], app.mesh.y[app.pinned]) : [app.flat.width / 2, app.flat.height / 2];
  app.flat.zoomAt(...at, factor);
  app.moving("view");
}

async function setMode(app, mode) {
  app.view.mode = mode;
  app.send("view", { ...app.view }, 350);
  if (mode !== "flat" && !app.inflated) {
    const bytes = await lastingBlob(app.header.inflated);
    if (!bytes) app.ask([app.header.inflated]);
    else app.inflated = await decodedOnce(app.header.inflated, () => readInflated(bytes, app.mesh, app.header.units));
  }
  app.build();
  app.mark("shape");
}

// ---- controls -----------------------------------------------------------------------------------------------
function bindControls(app) {
  const { find } = app;
  find(".in").onclick = () => zoomBy(app, 1.6);
  find(".out").onclick = () => zoomBy(app, 1 / 1.6);
  find(".reset").onclick = () => wholeMap(app);
  for (const name of ["outlines", "names"]) find(`.${name}`).onclick = () => app.change(name, !app.view[name], "lines");
  find(".two").onclick = () => app.change("two", !app.view.two);
  for (const button of app.root.querySelectorAll("[data-mode]")) button.onclick = () => setMode(app, button.dataset.mode);
  find(".tune").onclick = () => toggle(app, ".settings", ".tune");
  find(".ask").onclick = () => toggle(app, ".help", ".ask");
  find(".save").onclick = () => savePicture(app);
  find(".scale").onchange = (event) => app.change("scale", event.target.value);
  find(".limit").onchange = (event) => app.change("limit", Number(event.target.value) > 0 ? Number(event.target.value) : null);
  find(".threshold").oninput = (event) => app.change("threshold", Number(event.target.value));
  find(".least-q").onchange = (event) => app.change("q", Number(event.target.value));
  find(".least-ceiling").oninput = (event) => app.change("ceiling", Number(event.target.value));
  find(".opacity").oninput = (event) => app.change("opacity", Number(event.target.value));
}

function toggle(app, part, button) {
  const hidden = !app.find(part).hidden;
  app.find(part).hidden = hidden;
  app.find(button).setAttribute("aria-expanded", !hidden);
}

/** Bring every control in line with the view and with what the maps have. */
function reflect(app) {
  const { find, view, header } = app;
  if (!header) return;
  for (const name of ["outlines", "names", "two"]) find(`.${name}`).setAttribute("aria-pressed", Boolean(view[name]));
  for (const button of app.root.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", button.dataset.mode === view.mode);
  find(".two").disabled = !app.maps.some((map) => map.reliability);
  find(".two").hidden = find(".two").disabled;
  find(".least-q").disabled = !app.maps.some((map) => map.q);
  find(".least-q").closest("label").classList.toggle("off", find(".least-q").disabled);
  find(".ceiling-control").hidden = !app.maps.some((map) => map.ceiling);
  const first = header.panels[0];
  const kind = header.scales[first.colormap]?.kind;
  const fitting = Object.entries(header.scales).filter(([, scale]) => scale.kind === kind);
  find(".scale").replaceChildren(...fitting.map(([name, scale]) => new Option(scale.title, name)));
  find(".scale").value = fitting.length ? scaleOf(header, first, view) : "";
  const top = limitsOf(header, 0, view)[1];
  find(".limit").value = Number(top.toPrecision(3));
  Object.assign(find(".threshold"), { max: top, step: top / 100 });
  find(".threshold").value = view.threshold;
  find(".threshold-at").textContent = number(view.threshold, top);
  find(".least-q").value = String(view.q);
  find(".least-ceiling").value = view.ceiling;
  find(".ceiling-at").textContent = view.ceiling.toFixed(2);
  find(".opacity").value = view.opacity;
  app.panels.forEach((part, i) => writeLegend(app, part, i));
}

function bindKeys(app) {
  const click = (selector) => () => app.find(selector).click();
  const keys = {
    "+": click(".in"), "=": click(".in"), "-": click(".out"), "0": click(".reset"), o: click(".outlines"), n: click(".names"),
    r: () => app.find(".two").disabled || app.find(".two").click(), c: click(".tune"), p: click(".save"), "?": click(".ask"),
    "/": () => app.find(".search").focus(), " ": () => app.header.play && app.find(".play").click(),
    Escape: () => letGo(app), ArrowLeft: () => walk(app, -1, 0), ArrowRight: () => walk(app, 1, 0),
    ArrowUp: () => walk(app, 0, 1), ArrowDown: () => walk(app, 0, -1),
  };
  app.find(".cortex").onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select")) return;
    if (event.key === " " && (event.target.closest("button") || !app.header?.play)) return;
    const action = keys[event.key] ?? keys[event.key.toLowerCase()];
    if (!action || !app.header) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
}

function letGo(app) {
  if (app.pinned !== null) app.pin(null);
  if (app.region) app.choose("", true, false);
}

function walk(app, dx, dy) {
  if (app.pinned === null) return app.pin(nearestTo(app, app.flat.x, app.flat.y), true, 300);
  const next = stepTo(app.mesh, app.pinned, dx, dy);
  if (next === app.pinned) return;
  app.hover = -1;
  app.pin(next, true, 300);
  const [x, y] = app.flat.toScreen(app.mesh.x[next], app.mesh.y[next]);
  if (x < 20 || y < 20 || x > app.flat.width - 20 || y > app.flat.height - 20) {
    app.flat.pan(app.flat.width / 2 - x, app.flat.height / 2 - y);
    app.mark("view");
  }
}

function nearestTo(app, x, y) {
  let best = app.mesh.cortex[0];
  let least = Infinity;
  for (const vertex of app.mesh.cortex) {
    const far = app.mesh.onFlat[vertex] ? (app.mesh.x[vertex] - x) ** 2 + (app.mesh.y[vertex] - y) ** 2 : Infinity;
    if (far < least) [best, least] = [vertex, far];
  }
  return best;
}
