// The search box: a region's name ("V1", "L_MT", "left mt") or a vertex number.

function findRegions(mesh, words) {
  const sided = words.trim().match(/^(?:(l|left|r|right)[\s_]+)?(.+)$/i);
  if (!sided) return [];
  const side = sided[1]?.[0].toUpperCase();
  const wanted = sided[2].toLowerCase();
  const rank = (name) => (name.toLowerCase() === wanted ? 0 : name.toLowerCase().startsWith(wanted) ? 1 : name.toLowerCase().includes(wanted) ? 2 : 3);
  const areas = [...new Set(mesh.names.slice(1).map((name) => name.slice(2)))].filter((name) => rank(name) < 3);
  areas.sort((a, b) => rank(a) - rank(b) || a.length - b.length || a.localeCompare(b));
  return areas.slice(0, 8).map((name) => (side ? `${side}_${name}` : name));
}

function sideWords(region) {
  return region.startsWith("L_") ? "left" : region.startsWith("R_") ? "right" : "both sides";
}

function bindSearch(app) {
  const [input, list] = [app.find(".search"), app.find(".found")];
  let picked = 0;
  let leaving;
  const offers = () => {
    const words = input.value.trim();
    if (!words || !app.mesh) return [];
    const named = findRegions(app.mesh, words).map((region) => ({ region }));
    const vertex = /^\d+$/.test(words) ? Number(words) : -1;
    return vertex >= 0 && vertex < N_FULL ? [...named, { vertex }] : named;
  };
  const show = () => {
    clearTimeout(leaving); // who comes back at once finds the list open
    const found = offers();
    picked = Math.max(0, Math.min(picked, found.length - 1));
    list.hidden = !input.value.trim();
    list.replaceChildren(...found.map((offer, i) => offerButton(offer, i === picked, () => take(offer))));
    if (!found.length) list.innerHTML = `<p>No region has this name, and vertices run from 0 to ${N_FULL - 1}.</p>`;
  };
  const take = (offer) => {
    list.hidden = true;
    input.value = "";
    if (offer.region) app.choose(offer.region);
    else showVertex(app, offer.vertex);
    app.find(".cortex").focus({ preventScroll: true });
  };
  input.oninput = () => {
    picked = 0;
    show();
  };
  input.onfocus = () => input.value && show();
  input.onblur = () => (leaving = setTimeout(() => (list.hidden = true), 200));
  input.onkeydown = (event) => {
    event.stopPropagation();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      picked += event.key === "ArrowDown" ? 1 : -1;
      show();
    } else if (event.key === "Enter" && offers().length) take(offers()[Math.min(picked, offers().length - 1)]);
    else if (event.key === "Escape") input.blur();
    else return;
    event.preventDefault();
  };
}

function offerButton(offer, selected, take) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("role", "option");
  button.setAttribute("aria-selected", selected);
  const note = document.createElement("small");
  note.textContent = offer.region ? sideWords(offer.region) : "vertex";
  button.append(offer.region ? offer.region.replace(/^[LR]_/, "") : String(offer.vertex), note);
  button.onmousedown = (event) => event.preventDefault();
  button.onclick = take;
  return button;
}

function showVertex(app, vertex) {
  app.pin(vertex);
  if (!app.mesh.onFlat[vertex]) return;
  const [x, y] = [app.mesh.x[vertex], app.mesh.y[vertex]];
  app.flat.show({ left: x - 20, right: x + 20, low: y - 12, high: y + 12 }, 6);
  app.mark("view");
}
