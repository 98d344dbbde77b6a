// Charts as SVG: each is one picture with a description, and stands beside a table of the same figures.

const SVG = "http://www.w3.org/2000/svg";

function drawing(width, height, label, className) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, class: className, role: "img", "aria-label": label })) svg.setAttribute(key, value);
  return svg;
}

function draw(svg, name, attributes, text) {
  const part = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
  if (text !== undefined) part.textContent = text;
  svg.append(part);
  return part;
}

const shown = (value) => (value === null || value === undefined ? "–" : String(Math.round(value * 100) / 100));

/** A radar: axes [{name, value (0 … 100 or null)}]. What isn't known is drawn at the centre and says so. */
export function radar(label, axes) {
  const [middle, radius] = [{ x: 210, y: 168 }, 112];
  const svg = drawing(420, 336, `${label}：${axes.map((axis) => `${axis.name} ${shown(axis.value)}`).join("，")}`, "radar");
  const at = (place, share) => {
    const angle = (2 * Math.PI * place) / axes.length - Math.PI / 2;
    return [middle.x + radius * share * Math.cos(angle), middle.y + radius * share * Math.sin(angle)];
  };
  const outline = (shares) => shares.map((share, place) => at(place, share).map((part) => part.toFixed(1)).join(",")).join(" ");
  for (const ring of [0.25, 0.5, 0.75, 1]) draw(svg, "polygon", { points: outline(axes.map(() => ring)), class: "grid" });
  axes.forEach((_, place) => {
    const [x, y] = at(place, 1);
    draw(svg, "line", { x1: middle.x, y1: middle.y, x2: x.toFixed(1), y2: y.toFixed(1), class: "grid" });
  });
  const shares = axes.map((axis) => (axis.value ?? 0) / 100);
  draw(svg, "polygon", { points: outline(shares), class: "area" });
  shares.forEach((share, place) => {
    const [x, y] = at(place, share);
    draw(svg, "circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: 3.5, class: "dot" });
  });
  axes.forEach((axis, place) => {
    const [x, y] = at(place, 1.14);
    const anchor = Math.abs(x - middle.x) < 8 ? "middle" : x > middle.x ? "start" : "end";
    const text = { x: x.toFixed(1), "text-anchor": anchor };
    const lift = (y - middle.y) / radius; // above the top, below the bottom, beside the others
    const base = y + 4 + 10 * lift - (Math.abs(lift) < 0.9 ? 6 : lift < 0 ? 12 : 0);
    draw(svg, "text", { ...text, y: base.toFixed(1), class: "name" }, axis.name);
    draw(svg, "text", { ...text, y: (base + 16).toFixed(1), class: "value" }, shown(axis.value));
  });
  return svg;
}

/** One small line chart: values [{day, value (0 … 100 or null)}], the first and last day below, the last value beside its dot. */
export function line(label, values) {
  const [width, height, left, right, top, bottom] = [318, 132, 34, 262, 14, 100];
  const svg = drawing(width, height, `${label}：${values.map((one) => `${one.day} ${shown(one.value)}`).join("，")}`, "line");
  const y = (value) => bottom - ((bottom - top) * value) / 100;
  const x = (place) => (values.length > 1 ? left + ((right - left) * place) / (values.length - 1) : right);
  for (const mark of [0, 50, 100]) {
    draw(svg, "line", { x1: left, x2: right, y1: y(mark), y2: y(mark), class: "grid" });
    draw(svg, "text", { x: left - 6, y: y(mark) + 4, "text-anchor": "end" }, mark);
  }
  const known = values.map((one, place) => [one.value, place]).filter(([value]) => value !== null && value !== undefined);
  draw(svg, "polyline", { points: known.map(([value, place]) => `${x(place).toFixed(1)},${y(value).toFixed(1)}`).join(" "), class: "trace" });
  for (const [value, place] of known) draw(svg, "circle", { cx: x(place).toFixed(1), cy: y(value).toFixed(1), r: 3, class: "dot" });
  if (known.length) {
    const [value, place] = known.at(-1);
    draw(svg, "text", { x: x(place) + 8, y: y(value) + 4, class: "value" }, shown(value));
  }
  if (values.length) {
    draw(svg, "text", { x: left, y: bottom + 22 }, values[0].day.slice(0, 7));
    draw(svg, "text", { x: right, y: bottom + 22, "text-anchor": "end" }, values.at(-1).day.slice(0, 10));
  }
  return svg;
}

/** Horizontal bars, longest figure the whole width: steps [{name, value, text}]. */
export function bars(label, steps) {
  const [width, gap, left] = [560, 40, 128];
  const most = Math.max(1, ...steps.map((step) => step.value));
  const svg = drawing(width, steps.length * gap + 6, `${label}：${steps.map((step) => `${step.name} ${step.text ?? step.value}`).join("，")}`, "bars");
  steps.forEach((step, place) => {
    const y = place * gap + 6;
    const length = ((width - left - 110) * step.value) / most;
    draw(svg, "text", { x: left - 10, y: y + 19, "text-anchor": "end", class: "name" }, step.name);
    draw(svg, "rect", { x: left, y, width: Math.max(length, 2).toFixed(1), height: 28, rx: 4, class: step.kind ?? "bar" });
    draw(svg, "text", { x: left + Math.max(length, 2) + 8, y: y + 19, class: "value" }, step.text ?? step.value);
  });
  return svg;
}

/** A funnel: every step is part of the one before, drawn in the middle, with its share of the first. */
export function funnel(label, steps) {
  const [width, gap, middle] = [560, 52, 300];
  const first = Math.max(1, steps[0]?.value ?? 1);
  const described = steps.map((step) => `${step.name} ${step.value}`).join("，");
  const svg = drawing(width, steps.length * gap + 6, `${label}：${described}`, "funnel");
  const half = (step) => Math.max(3, (150 * step.value) / first);
  steps.forEach((step, place) => {
    const [y, here] = [place * gap + 4, half(step)];
    const next = steps[place + 1] ? half(steps[place + 1]) : here;
    const corners = [[middle - here, y], [middle + here, y], [middle + next, y + gap - 6], [middle - next, y + gap - 6]];
    draw(svg, "polygon", { points: corners.map((corner) => corner.join(",")).join(" "), class: "area" });
    draw(svg, "text", { x: middle - 166, y: y + 28, "text-anchor": "end", class: "name" }, step.name);
    draw(svg, "text", { x: middle + 166, y: y + 28, class: "value" }, `${step.value}（${Math.round((100 * step.value) / first)}%）`);
  });
  return svg;
}
