// One page of clip thumbnails. A click, or Enter on the focused card, tells Python which clip.

const PAGES = new WeakMap();

function parseGallery(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  return { bytes, header: JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) };
}

function buildCard(clip, bytes, urls) {
  const card = document.createElement("button");
  card.className = "card";
  card.type = "button";
  card.setAttribute("role", "option");
  card.dataset.clip = clip.id;
  const picture = document.createElement("img");
  picture.alt = clip.caption || clip.id;
  if (clip.picture) {
    const { offset, length } = clip.picture;
    picture.src = URL.createObjectURL(new Blob([bytes.slice(offset, offset + length)], { type: "image/jpeg" }));
    urls.push(picture.src);
  }
  card.append(picture);
  for (const [tag, text] of [["b", clip.id], ["small", clip.note], ["small", clip.caption]]) {
    if (!text) continue;
    const line = document.createElement(tag);
    line.textContent = text;
    line.title = text;
    card.append(line);
  }
  if (clip.tag) {
    const tag = document.createElement("span");
    tag.className = "tag";
    tag.textContent = clip.tag;
    card.append(tag);
  }
  return card;
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const grid = parentElement.querySelector(".grid");
  let page = PAGES.get(parentElement);
  if (!page) PAGES.set(parentElement, (page = { urls: [] }));
  if (page.data !== data) {
    page.data = data;
    page.urls.forEach((url) => URL.revokeObjectURL(url));
    page.urls = [];
    const { bytes, header } = parseGallery(data);
    grid.replaceChildren(...header.clips.map((clip) => buildCard(clip, bytes, page.urls)));
    page.mark = (id) => [...grid.children].forEach((card) => card.setAttribute("aria-selected", card.dataset.clip === id));
    page.mark(header.selected);
  }
  for (const card of grid.children) {
    card.onclick = () => {
      page.mark(card.dataset.clip); // at once; Python's answer follows
      setTriggerValue("pick", card.dataset.clip);
    };
  }
  return () => {
    page.urls.forEach((url) => URL.revokeObjectURL(url));
    PAGES.delete(parentElement);
  };
}
