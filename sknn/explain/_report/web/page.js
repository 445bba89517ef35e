// The sections of the page but for the rows to browse, which rows.js has.

const data = JSON.parse(document.getElementById("data").textContent);
const main = document.getElementById("sections");

function section(id, title, ...content) {
  document.getElementById("contents").append(h("a", { href: `#${id}` }, title));
  main.append(h("section", { id, "aria-labelledby": `${id}-title` }, h("h2", { id: `${id}-title` }, title), content));
}

const note = (text) => h("p", { class: "note" }, text);
const quantity = {
  decision_function: "the margin (score before it becomes a probability)",
  predict_proba: "the probability",
  predict: "the prediction",
}[data.explained];

function plainTable(label, heads, rows) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    h("table", {},
      h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, rows)));
}

function showModel({ facts, steps, parameters, layers }) {
  const code = (content, set) => h("td", { class: set ? "code set" : "code" }, content);
  const opening = (title, table) => h("details", {}, h("summary", {}, title), table);
  const set = parameters.filter((row) => row[2]).length;
  section("model", "Model",
    h("dl", {}, facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    layers.length ? opening(`Layers (${layers.length})`, plainTable("Layers", ["layer", "units", "weights and intercepts"],
      layers.map(([name, units, size]) => h("tr", {}, code(name), h("td", { class: "number" }, units), h("td", { class: "number" }, size))))) : null,
    steps.length ? opening(`Steps of the pipeline (${steps.length})`, plainTable("Steps", ["step", "what it is"],
      steps.map(([name, step]) => h("tr", {}, h("th", { scope: "row" }, name), code(step))))) : null,
    parameters.length ? opening(`Parameters (${set} set, ${parameters.length - set} at their defaults)`,
      plainTable("Parameters", ["parameter", "value"],
        parameters.map(([name, value, isSet]) => h("tr", {}, h("th", { scope: "row" }, name), code(value, isSet))))) : null);
}

function showScores({ rows, baseline }, confusion) {
  const lines = rows.map((row) => {
    const gain = row.model === null || row.baseline === null ? 0 : (row.model - row.baseline) * (row.better === "higher" ? 1 : -1);
    return h("tr", {}, h("th", { scope: "row" }, row.name),
      h("td", { class: gain > 0 ? "number better" : "number" }, number(row.model)),
      h("td", { class: gain < 0 ? "number better" : "number" }, number(row.baseline)),
      h("td", { class: "text" }, row.better));
  });
  section("scores", "Scores", note(`Baseline: ${baseline}. What is better stands in bold.`),
    h("div", { class: "grid" },
      h("div", {}, plainTable("Scores", ["score", "model", "baseline", "better"], lines)),
      confusion ? confusionMatrix(confusion) : null));
}

function confusionMatrix({ labels, counts }) {
  const shorten = (label) => shortened(label, labels.length > 12 ? 12 : 24);
  const head = (label, scope) => h("th", { scope, title: label }, shorten(label));
  const rows = counts.map((row, i) => {
    const total = row.reduce((a, b) => a + b, 0);
    return h("tr", {}, head(labels[i], "row"), row.map((count, j) => {
      const cell = h("td", { class: i === j ? "hit" : "miss" }, count || h("span", { class: "hint" }, "0"));
      cell.style.setProperty("--share", total ? count / total : 0);
      return cell;
    }));
  });
  return h("div", {}, h("h3", {}, "Confusion matrix"),
    h("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Confusion matrix" },
      h("table", { class: "matrix" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "true ↓ predicted →"), labels.map((label) => head(label, "col")))),
        h("tbody", {}, rows))));
}

function showCalibration(found) {
  if (found.omitted) return section("calibration", "Calibration", note(found.omitted));
  if (found.bins) {
    return section("calibration", "Calibration",
      note(`How often it is ${found.event}, by the probability the model gives it. Mean gap (expected calibration error): ${number(found.error, 3)}.`),
      h("div", { class: "single" }, reliabilityChart(found)));
  }
  const { truth, predicted, total } = found;
  const rest = truth.map((value, i) => value - predicted[i]);
  section("calibration", "Predictions and residuals",
    truth.length < total ? note(`${truth.length} of ${total} rows are drawn.`) : null,
    h("div", { class: "grid" },
      scatterChart({ x: predicted, y: truth, xLabel: "predicted", yLabel: "true", diagonal: true,
        label: `True against predicted numbers of ${truth.length} rows`, caption: "On the dashed line the prediction is right." }),
      scatterChart({ x: predicted, y: rest, xLabel: "predicted", yLabel: "residual (true − predicted)",
        label: `Residuals of ${truth.length} rows`, caption: "No pattern should be left around zero." })));
}

function showCurves(curves) {
  section("training", "Training", curves.length
    ? h("div", { class: "grid" }, curves.map(curveChart))
    : note("The model keeps no record of its training."));
}

function showImportance() {
  const [first] = data.importance, names = data.columns.map((column) => column.name);
  const holder = h("div");
  function show(k) {
    const most = Math.max(...first.mean[k].map((mean, j) => mean + (first.half[k][j] || 0))) || 1;
    const rows = names.map((name, j) => ({
      name, mean: first.mean[k][j], half: first.half[k][j],
      others: data.importance.slice(1).map((other) => other.mean[k][j]),
    }));
    const columns = [
      { label: "column", value: (row) => row.name, cell: (row) => h("span", { title: row.name }, shortened(row.name, 80)) },
      { label: `${data.methods[0].label}, mean |contribution|`, value: (row) => row.mean, numeric: true },
      { label: "± 95 %", value: (row) => row.half, numeric: true, cell: (row) => number(row.half, 2) },
      { label: "share of the largest", value: (row) => row.mean, cell: (row) => meter(row.mean / most, (row.half || 0) / most), kind: "bar", numeric: true },
      ...data.methods.slice(1).map((method, m) => (
        { label: `${method.label}, mean |contribution|`, value: (row) => row.others[m], numeric: true })),
    ];
    const { node } = sortableTable({
      caption: "Importance of the columns", columns, rows, sort: { by: 1, descending: true }, limit: 20,
    });
    node.classList.add("names");
    holder.replaceChildren(node);
  }
  const n = data.rows.index.length;
  const choice = data.outputs.length > 1
    ? h("div", { class: "controls" }, select("Class", data.outputs.map((name, k) => [k, name]), show).label) : null;
  section("importance", "Importance of the columns",
    note(`How far a column moves ${quantity}${data.outputs.length === 1 && data.outputs[0] ? ` of ${data.outputs[0]}` : ""}, ` +
      `on average over ${n} explained row${n === 1 ? "" : "s"}; ± is 1.96 standard errors over the rows.`),
    data.omitted.map(note), choice, holder);
  show(0);
}

function showInteractions({ omitted, pairs, what }) {
  if (omitted) return section("interactions", "Interactions", note(omitted));
  const most = Math.max(...pairs.map((pair) => pair.strength)) || 1;
  section("interactions", "Interactions", note(what), sortableTable({
    caption: "Strongest interactions", rows: pairs, sort: { by: 2, descending: true }, limit: 10,
    columns: [
      { label: "column", value: (pair) => pair.first },
      { label: "with", value: (pair) => pair.second },
      { label: "strength", value: (pair) => pair.strength, numeric: true },
      { label: "share of the largest", value: (pair) => pair.strength, cell: (pair) => meter(pair.strength / most), kind: "bar", numeric: true },
    ],
  }).node);
}

showModel(data.about);
showScores(data.scores, data.confusion);
showCalibration(data.calibration);
showCurves(data.curves);
showImportance();
showInteractions(data.interactions);
