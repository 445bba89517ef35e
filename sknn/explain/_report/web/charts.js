// Charts as SVG, drawn anew for the width that there is. None knows the page's data.

/** A figure that calls draw(width) for its SVG, and again when its width changes. */
function chart({ label, caption, draw, numbers }) {
  const box = h("div");
  let drawn = 0;
  const redraw = () => {
    const width = Math.floor(box.clientWidth);
    if (width < 40 || width === drawn) return;
    drawn = width;
    const { height, parts } = draw(width);
    box.replaceChildren(s("svg", {
      viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": label,
    }, parts));
  };
  new ResizeObserver(redraw).observe(box);
  return h("figure", {}, box, caption ? h("figcaption", {}, caption) : null, numbers || null);
}

function ticks(low, high, count = 5) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((f) => f * power).find((f) => f >= rough * 0.999);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) {
    found.push(Number((k * step).toPrecision(12)));
  }
  return found;
}

/** Limits with a margin; a single value gets one of its own. */
function limits(values, margin = 0.04) {
  const known = values.filter((x) => x !== null);
  if (!known.length) return [0, 1];
  let low = Infinity, high = -Infinity;
  for (const x of known) { low = Math.min(low, x); high = Math.max(high, x); }
  const space = high > low ? (high - low) * margin : Math.abs(high) * 0.1 || 1;
  return [low - space, high + space];
}

/** Axes with grid lines; returns their parts and the ways to pixels. */
function axes(width, height, { x, y, xLabel, yLabel, log, below = 0 }) {
  const left = 56, right = 12, top = 22, bottom = height - 40 - below;
  const px = (value) => left + ((value - x[0]) / (x[1] - x[0])) * (width - left - right);
  const scale = log ? Math.log10 : (value) => value;
  const [low, high] = y.map(scale);
  const py = (value) => bottom - ((scale(value) - low) / (high - low)) * (bottom - top);
  const yTicks = log ? decades(low, high) : ticks(y[0], y[1]);
  const parts = [
    yTicks.map((t) => [
      s("line", { class: "gridline", x1: left, x2: width - right, y1: py(t), y2: py(t) }),
      s("text", { class: "soft", x: left - 6, y: py(t) + 4, "text-anchor": "end" }, number(t, 3)),
    ]),
    ticks(x[0], x[1], Math.max(2, Math.floor(width / 90))).map((t) =>
      s("text", { class: "soft", x: px(t), y: height - 24, "text-anchor": "middle" }, number(t, 3))),
    s("line", { class: "axis", x1: left, x2: width - right, y1: bottom, y2: bottom }),
    s("text", { class: "soft", x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" }, xLabel),
    s("text", { class: "soft", x: 2, y: 12 }, yLabel),
  ].flat(2);
  return { px, py, parts, left, right, top, bottom };
}

function decades(low, high) {
  const found = [];
  const fine = high - low < 2.2;
  for (let k = Math.floor(low); k <= high; k++) {
    for (const f of fine ? [1, 2, 5] : [1]) {
      const at = k + Math.log10(f);
      if (at >= low && at <= high) found.push(Number((10 ** at).toPrecision(3)));
    }
  }
  return found;
}

function curveChart({ name, epochs, series }) {
  const every = series.flatMap((line) => line.values).filter((value) => value !== null);
  const longest = epochs.at(-1);
  const log = every.length > 0 && Math.min(...every) > 0 && Math.max(...every) > 10 * Math.min(...every);
  const y = log ? [Math.min(...every) / 1.1, Math.max(...every) * 1.1] : limits(every);
  const styles = ["curve first", "curve second"];
  const swatch = (k) => s("svg", { "aria-hidden": "true", viewBox: "0 0 26 10" },
    s("line", { class: styles[k], x1: 0, x2: 26, y1: 5, y2: 5 }));
  const last = series.map((line) => `${line.name} ends at ${number(line.values.at(-1))}`);
  const figure = chart({
    label: `${name} over ${longest} epochs: ${last.join(", ")}`,
    draw(width) {
      const height = 260;
      const { px, py, parts } = axes(width, height, {
        x: [1, Math.max(2, longest)], y, log, xLabel: "epoch", yLabel: log ? `${name} (log scale)` : name,
      });
      series.forEach((line, k) => {
        const points = line.values.map((value, i) => [epochs[i], value]).filter(([, v]) => v !== null && (!log || v > 0));
        const d = points.map(([x, v], i) => `${i ? "L" : "M"}${px(x).toFixed(1)} ${py(v).toFixed(1)}`).join("");
        parts.push(points.length === 1
          ? s("circle", { class: "dot", cx: px(points[0][0]), cy: py(points[0][1]), r: 3 })
          : s("path", { class: styles[k], d }));
      });
      return { height, parts };
    },
    numbers: numbersOf(["epoch", ...series.map((line) => line.name)],
      epochs.map((epoch, i) => [epoch, ...series.map((line) => line.values[i] ?? null)])),
  });
  return h("div", {}, h("h3", {}, name),
    h("div", { class: "legend" }, series.map((line, k) => h("span", {}, swatch(k), line.name))), figure);
}

function reliabilityChart({ bins, event, error }) {
  const most = Math.max(...bins.map((bin) => bin.count));
  return chart({
    label: `Reliability in ${bins.length} bins of probability; the mean gap is ${number(error, 3)}`,
    draw(width) {
      const height = 390, below = 74;
      const { px, py, parts, bottom } = axes(width, height, {
        x: [0, 1], y: [0, 1], xLabel: "predicted probability", yLabel: `share with ${shortened(event, 46)}`, below,
      });
      const floor = height - 42, room = below - 22;
      parts.push(s("line", { class: "guide", x1: px(0), y1: py(0), x2: px(1), y2: py(1) }));
      for (const bin of bins) {
        const x = px(bin.mean), k = Math.min(9, Math.floor(bin.mean * 10));
        const tall = Math.max(1, (room * bin.count) / most), middle = px((k + 0.5) / 10);
        parts.push(
          s("line", { class: "whisker", x1: x, x2: x, y1: py(bin.low), y2: py(bin.high) }),
          s("circle", { class: "dot", cx: x, cy: py(bin.share), r: 4.5 }),
          s("rect", { class: "column", x: px(k / 10) + 2, width: px(0.1) - px(0) - 4, y: floor - tall, height: tall }),
          s("text", { class: "soft", x: middle, y: floor - tall - 3, "text-anchor": "middle" }, String(bin.count)));
      }
      parts.push(s("line", { class: "axis", x1: px(0), x2: px(1), y1: floor, y2: floor }));
      return { height, parts, bottom };
    },
    caption: "Points on the dashed line: what is given 70 % happens in 70 % of the rows. " +
      "Whiskers are 95 % intervals; below, the rows in each bin.",
    numbers: numbersOf(["mean probability", "share", "from", "to", "rows"],
      bins.map((bin) => [bin.mean, bin.share, bin.low, bin.high, bin.count])),
  });
}

function scatterChart({ x, y, xLabel, yLabel, diagonal, label, caption }) {
  const span = diagonal ? limits([...x, ...y]) : null;
  return chart({
    label, caption,
    draw(width) {
      const height = 300;
      const { px, py, parts } = axes(width, height, {
        x: span || limits(x), y: span || limits([...y, 0]), xLabel, yLabel,
      });
      const ends = span || limits(x);
      parts.push(s("line", {
        class: "guide", x1: px(ends[0]), x2: px(ends[1]),
        y1: py(diagonal ? ends[0] : 0), y2: py(diagonal ? ends[1] : 0),
      }));
      x.forEach((value, i) => {
        if (value !== null && y[i] !== null) parts.push(s("circle", { class: "cloud", cx: px(value), cy: py(y[i]), r: 3 }));
      });
      return { height, parts };
    },
    numbers: numbersOf([xLabel, yLabel], x.map((value, i) => [value, y[i]])),
  });
}

/** A column with its value; where there is little room, the name gives way. */
function named({ name, text }, room = Infinity) {
  const value = text === undefined ? "" : ` = ${cut(text, room / 2)}`;
  return cut(name, room - pen.measureText(value).width) + value;
}

const pen = document.createElement("canvas").getContext("2d");
pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;

/** As much of a text as has room in so many pixels. */
function cut(text, room) {
  let length = Math.min(text.length, 400);
  while (length > 1 && pen.measureText(shortened(text, length)).width > room) length--;
  return shortened(text, length);
}

/** Contributions one after the other, from the base value to the total. */
function waterfallChart({ title, base, total, items, baseName, totalName }) {
  const steps = [];
  let at = base;
  for (const item of items) {
    steps.push({ ...item, from: at, to: at + item.value });
    at += item.value;
  }
  const range = limits([base, total, ...steps.map((step) => step.to)], 0.02);
  const told = items.slice(0, 3).map((item) => `${item.name} ${signed(item.value)}`);
  return chart({
    label: `${title}: from ${number(base)} to ${number(total)}; largest: ${told.join(", ")}`,
    draw(width) {
      const narrow = width < 430, left = narrow ? 4 : Math.min(210, width * 0.42), room = 74;
      const tall = narrow ? 36 : 26, top = 22;
      const px = (value) => left + ((value - range[0]) / (range[1] - range[0])) * (width - left - room);
      const end = top + steps.length * tall, parts = [];
      steps.forEach((step, i) => {
        const y = top + i * tall, a = px(Math.min(step.from, step.to)), b = px(Math.max(step.from, step.to));
        const bar = narrow ? y + 16 : y + 4, kind = (step.value < 0 ? "down" : "up") + (step.isRest ? " rest" : "");
        parts.push(
          s("text", narrow ? { x: 4, y: y + 12 } : { x: left - 8, y: y + 17, "text-anchor": "end" },
            named(step, narrow ? width - 8 : left - 12), s("title", {}, named(step))),
          s("rect", { class: kind, x: a, y: bar, width: Math.max(1.5, b - a), height: 16, rx: 2 }),
          s("text", { x: width - room + 6, y: bar + 12 }, signed(step.value)),
          s("line", { class: "link", x1: px(step.to), x2: px(step.to), y1: bar + 16, y2: bar + tall + (i + 1 < steps.length ? 0 : 4) }));
      });
      const ending = (value, y, name) => [
        s("line", { class: "guide", x1: px(value), x2: px(value), y1: top, y2: end }),
        s("text", { class: "soft", x: Math.min(Math.max(px(value), 70), width - 70), y, "text-anchor": "middle" }, `${name} ${number(value)}`)];
      parts.unshift(...ending(base, 13, baseName), ...ending(total, end + 18, totalName));
      return { height: end + 26, parts };
    },
    numbers: numbersOf(["column", "contribution"],
      [[baseName, base], ...items.map((item) => [named(item), item.value]), [totalName, total]]),
  });
}

function meter(share, half = null) {
  const bar = s("svg", { class: "meter", viewBox: "0 0 100 14", preserveAspectRatio: "none", "aria-hidden": "true" },
    s("rect", { class: "down", x: 0, y: 2, height: 10, width: 100 * share }));
  if (half !== null) {
    bar.append(s("line", { class: "axis", x1: 100 * Math.max(0, share - half), x2: 100 * (share + half), y1: 7, y2: 7, "vector-effect": "non-scaling-stroke" }));
  }
  return bar;
}
