"use strict";
// Elements, numbers as text, and tables that sort. Texts become text nodes, never HTML.

const SVG = document.getElementById("svg").namespaceURI;

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

const h = (tag, attributes, ...children) =>
  fill(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

/** A number with four digits; whole numbers with all of theirs. */
function number(x, digits = 4) {
  if (x === null || x === undefined) return "–";
  if (x < 0) return "−" + number(-x, digits);
  if (Number.isInteger(x) && x < 1e9) return String(x);
  if (x < 1e-4 || x >= 1e9) return x.toExponential(2);
  return String(Number(x.toPrecision(digits)));
}

const signed = (x) => (x > 0 ? "+" : "") + number(x, 3);
const shortened = (text, length) =>
  text.length > length ? text.slice(0, Math.max(1, length - 1)) + "…" : text;

function compare(a, b) {
  if (a === null || a === undefined) return b === null || b === undefined ? 0 : 1;
  if (b === null || b === undefined) return -1;
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}

/**
 * A table whose headers sort it. Columns have a label, value(row) to sort by, and
 * may have cell(row) to show, a title, and numeric. Missing values stay at the end.
 */
function sortableTable({ caption, columns, rows, sort, decorate, tall = true, limit = Infinity }) {
  const body = h("tbody");
  let shown = rows, all = false;
  const heads = columns.map((column, j) =>
    h("th", { scope: "col", class: column.numeric ? "number" : null },
      h("button", { type: "button", title: column.title, onclick: () => sortBy(j) }, column.label)));
  const more = h("button", { type: "button", class: "more", onclick: () => { all = true; draw(); } });

  function sortBy(j) {
    const descends = sort && sort.by === j ? !sort.descending : Boolean(columns[j].numeric);
    sort = { by: j, descending: descends };
    draw();
  }
  function ordered() {
    if (!sort) return shown;
    const { value } = columns[sort.by], sign = sort.descending ? -1 : 1;
    const missing = (x) => x === null || x === undefined;
    return [...shown].sort((a, b) => {
      const order = compare(value(a), value(b));
      return missing(value(a)) || missing(value(b)) ? order : sign * order;
    });
  }
  function line(row) {
    const cells = columns.map((column, j) => {
      const content = column.cell ? column.cell(row) : text(column.value(row));
      const kind = column.kind || (column.numeric ? "number" : "text");
      return h(j === 0 ? "th" : "td", j === 0 ? { scope: "row" } : { class: kind }, content);
    });
    const tr = h("tr", {}, cells);
    if (decorate) decorate(tr, row);
    return tr;
  }
  function draw() {
    heads.forEach((head, j) => {
      const way = sort && sort.by === j ? (sort.descending ? "descending" : "ascending") : "none";
      head.setAttribute("aria-sort", way);
    });
    const lines = ordered();
    body.replaceChildren(...lines.slice(0, all ? lines.length : limit).map(line));
    more.hidden = all || lines.length <= limit;
    more.textContent = `Show all ${lines.length}`;
  }
  draw();
  const node = h("div", {},
    h("div", { class: tall ? "scroll tall" : "scroll", tabindex: "0", role: "region", "aria-label": caption },
      h("table", { "aria-label": caption }, h("thead", {}, h("tr", {}, heads)), body)),
    more);
  return { node, body, setRows(rows) { shown = rows; draw(); }, redraw: draw };
}

const text = (value) => (typeof value === "number" ? number(value) : value ?? "–");

/** A table of numbers behind a chart, for those who do not see it. */
function numbersOf(heads, rows) {
  const cell = (value) => h("td", { class: typeof value === "number" ? "number" : "text" }, text(value));
  const details = h("details", {}, h("summary", {}, "As numbers"));
  details.addEventListener("toggle", () => {
    if (details.children.length > 1) return;
    details.append(h("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Numbers of the chart" },
      h("table", {},
        h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
        h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell)))))));
  });
  return details;
}

function select(label, options, onchange) {
  const node = h("select", { onchange: () => onchange(Number(node.value)) },
    options.map(([value, name]) => h("option", { value }, shortened(name, 60))));
  return { label: h("label", {}, label, node), node };
}
