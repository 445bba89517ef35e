// Rows to browse: a table, and the contributions behind the chosen row.

const SHOWN_COLUMNS = 25;

function showRows() {
  const { rows, columns, kind } = data, isRegression = kind === "regression";
  const labels = data.confusion ? data.confusion.labels : null;
  const name = (code) => (labels ? labels[code] : number(code));
  const places = rows.index.map((_, i) => i);
  const cellText = (i, j) => {
    const value = rows.cells[i][j];
    return value === null ? "missing" : columns[j].levels ? columns[j].levels[value] : number(value, 6);
  };
  const shown = importantColumns();
  let chosen = null, output = -1;

  const outcome = isRegression
    ? [{ label: "true", value: (i) => rows.truth[i], numeric: true },
      { label: "predicted", value: (i) => rows.prediction[i], numeric: true },
      { label: "error", value: (i) => rows.error[i], cell: (i) => mark(i, number(rows.error[i])), numeric: true }]
    : [{ label: "true", value: (i) => name(rows.truth[i]) },
      { label: "predicted", value: (i) => name(rows.prediction[i]), cell: (i) => mark(i, name(rows.prediction[i])) },
      ...(rows.probability ? [{ label: "probability", value: (i) => rows.probability[i], cell: (i) => rows.probability[i].toFixed(3), numeric: true }] : [])];
  const table = sortableTable({
    caption: "Explained rows", rows: places, sort: { by: 0, descending: false },
    columns: [
      { label: "row", value: (i) => rows.index[i], cell: (i) => h("button", { type: "button", class: "row", "aria-label": `Explain row ${rows.index[i]}` }, String(rows.index[i])) },
      ...outcome,
      ...shown.map((j) => ({
        label: shortened(columns[j].name, 28), title: columns[j].name, numeric: !columns[j].levels,
        value: (i) => rows.cells[i][j], cell: (i) => cellText(i, j),
      })),
    ],
    decorate(tr, i) {
      tr.dataset.row = i;
      if (i === chosen) tr.setAttribute("aria-current", "true");
      tr.addEventListener("click", () => choose(i));
      tr.addEventListener("keydown", (event) => move(event, tr));
    },
  });
  table.node.classList.add("choosable");

  const heading = h("h3", { "aria-live": "polite" });
  const detail = h("div", { id: "chosen", role: "region", "aria-label": "The chosen row" });
  const names = data.outputs;
  const options = [[-1, "the predicted class"], ...names.map((label, k) => [k, label])];
  const choice = names.length > 1 ? select("Explain class", options, (k) => { output = k; draw(); }) : null;
  const wrongOnly = h("input", { type: "checkbox", id: "wrong", onchange: filter });
  const count = h("span", { class: "hint", role: "status" });

  function mark(i, content) {
    return rows.wrong[i] ? h("span", { class: "wrong" }, "✗\u00a0", content) : content;
  }
  function importantColumns() {
    const { mean } = data.importance[0];
    const weight = columns.map((_, j) => Math.max(...mean.map((row) => row[j])));
    return columns.map((_, j) => j).sort((a, b) => weight[b] - weight[a]).slice(0, SHOWN_COLUMNS);
  }
  function filter() {
    const left = places.filter((i) => !wrongOnly.checked || rows.wrong[i]);
    table.setRows(left);
    count.textContent = `${left.length} of ${places.length} rows`;
    if (left.length && !left.includes(chosen)) choose(left[0]);
  }
  function choose(i) {
    chosen = i;
    for (const tr of table.body.children) {
      if (Number(tr.dataset.row) === i) tr.setAttribute("aria-current", "true");
      else tr.removeAttribute("aria-current");
    }
    draw();
  }
  function move(event, tr) {
    const next = { ArrowDown: tr.nextElementSibling, ArrowUp: tr.previousElementSibling }[event.key];
    if (!next) return;
    event.preventDefault();
    choose(Number(next.dataset.row));
    next.querySelector("button").focus();
  }
  /** The output to explain: the predicted class, or the one that there is. */
  function wanted() {
    if (names.length === 1) return 0;
    if (output >= 0) return output;
    const k = names.indexOf(name(rows.prediction[chosen]));
    return k < 0 ? 0 : k;
  }
  function draw() {
    const i = chosen, k = wanted();
    const truth = `true ${name(rows.truth[i])}, predicted ${name(rows.prediction[i])}`;
    const of = names[k] ? ` for the class ${names[k]}` : "";
    heading.textContent = `Row ${rows.index[i]}: ${truth}`;
    if (!heading.isConnected) detail.append(heading);
    while (heading.nextSibling) heading.nextSibling.remove();
    detail.append(
      note(`Contributions to ${quantity}${isRegression ? "" : of}. To the right and orange: raises it; to the left and blue: lowers it.`),
      h("div", { class: "grid" }, rows.contributions.map((found, m) => contribution(found, m, i, k))));
  }
  function contribution(found, m, i, k) {
    const { label, adds_up: addsUp } = data.methods[m], base = found.base[i][k], total = found.total[i][k];
    const items = found.columns[i][k].map((j, at) => ({
      name: columns[j].name, text: cellText(i, j), value: found.values[i][k][at],
    })).filter((item) => item.value !== 0);
    const others = columns.length - items.length;
    const rest = total - base - items.reduce((sum, item) => sum + item.value, 0);
    if (Math.abs(rest) > 1e-4 * Math.max(Math.abs(total), Math.abs(base))) {
      items.push({ name: `${others} other columns`, value: rest, isRest: true });
    }
    const score = found.score ? found.score[i][k] : null, isLime = found.score !== null;
    return h("div", { class: "contribution" }, h("h3", {}, label),
      isLime ? note(`Local R²: ${number(score, 3)}${score < 0.5 ? " – the line around this row fits badly" : ""}`)
        : note(addsUp ? "Adds up to the model's output." : "Need not add up to the model's output."),
      items.length ? waterfallChart({
        title: `${label}, row ${rows.index[i]}`, base, total, items,
        baseName: isLime ? "intercept" : "mean", totalName: isLime ? "local model" : addsUp ? "this row" : "sum",
      }) : note("No column moves this prediction."));
  }

  section("rows", "Rows to browse",
    note((places.length < data.about.rows ? `${places.length} of the ${data.about.facts[0][1]} scored rows, drawn at random.` : "All scored rows.") +
      " Choose a row by click, or by ↑ and ↓ in its first cell." +
      (shown.length < columns.length ? ` The table has the ${shown.length} most important of ${columns.length} columns.` : "")),
    h("div", { class: "controls" },
      h("label", {}, wrongOnly, isRegression ? "Errors above the root mean square only" : "Wrong only"), count,
      choice ? choice.label : null),
    table.node, detail);
  filter();
}

showRows();
