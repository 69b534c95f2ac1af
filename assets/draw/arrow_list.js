// The arrows as a table of numbers: what can be drawn can be typed.

const FIELDS = [["x", "From left", 0, 100], ["y", "From top", 0, 100], ["dx", "Right", -100, 100], ["dy", "Down", -100, 100]];

/** Fill the table; `edit(index, field, value)`, `remove(index)` and `select(index)` tell the owner what was done. */
function fillArrowList(body, arrows, { edit, remove, select }) {
  body.replaceChildren(
    ...arrows.list.map((arrow, index) => {
      const row = document.createElement("tr");
      row.setAttribute("aria-selected", index === arrows.selected);
      const name = document.createElement("th");
      name.scope = "row";
      name.textContent = `${isPin(arrow) ? "Pin" : "Arrow"} ${index + 1}`;
      row.append(name);
      for (const [field, words, low, high] of FIELDS) {
        const input = Object.assign(document.createElement("input"), {
          type: "number", min: low, max: high, step: 1, value: Math.round(100 * arrow[field]),
        });
        input.setAttribute("aria-label", `${name.textContent}: ${words.toLowerCase()}, percent of the frame`);
        input.onfocus = () => select(index);
        input.onchange = () => edit(index, field, clampTo((Number(input.value) || 0) / 100, low / 100, high / 100));
        row.append(Object.assign(document.createElement("td"), {}));
        row.lastChild.append(input);
      }
      const button = Object.assign(document.createElement("button"), { type: "button", className: "icon small", textContent: "×" });
      button.setAttribute("aria-label", `Remove ${name.textContent.toLowerCase()}`);
      button.onclick = () => remove(index);
      row.append(document.createElement("td"));
      row.lastChild.append(button);
      return row;
    }),
  );
}
