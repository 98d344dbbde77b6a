// Elements of a page. Text is always text, never markup; whatever a colour says, a sign and a word say too.

/** element("td", {class: "yes"}, "text", child …); what is null or undefined is left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null && value !== undefined) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const isCell = (child) => child instanceof Element && /^T[DH]$/.test(child.tagName);

const DAY = /^\d{4}-\d{2}(-\d{2})?$/;

function cellOf(content, place) {
  if (isCell(content)) return content;
  if (!place) return element("th", { scope: "row" }, content ?? "–");
  return element("td", { class: DAY.test(content) ? "day" : null }, content ?? "–");
}

const row = (cells) => element("tr", {}, ...cells.map(cellOf));

/** Headings stand over their figures. */
function align(columns, rows) {
  const first = rows.find((cells) => !(cells instanceof Element)) ?? [];
  first.forEach((content, place) => {
    if (isCell(content) && content.classList.contains("number") && columns[place]?.className === "") columns[place].className = "number";
  });
}

/** A table with its caption in a region that the keyboard can scroll; the first cell of each row is its heading. */
export function table(caption, heading, rows, className = "") {
  const columns = heading.map((title) => (isCell(title) ? title : element("th", { scope: "col" }, title)));
  align(columns, rows);
  const empty = element("tr", {}, element("td", { colspan: columns.length, class: "empty" }, "没有内容"));
  const body = element("tbody", {}, ...(rows.length ? rows.map((cells) => (cells instanceof Element ? cells : row(cells))) : [empty]));
  const made = element("table", { class: className }, element("caption", {}, caption), element("thead", {}, element("tr", {}, ...columns)), body);
  return element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption }, made);
}

export const number = (text) => element("td", { class: "number" }, text);
export const link = (address, text) => element("a", { href: address }, text);
export const spoken = (text) => element("span", { class: "spoken" }, text);
export const silent = (sign) => element("span", { "aria-hidden": "true" }, sign);

// what a verdict looks like: sign, word, class
const VERDICTS = { true: ["✓", "达标", "yes"], false: ["✗", "未达标", "no"], null: ["–", "不能判断", "open"] };

/** A verdict as a chip with its word: met, failed, not known. */
export function verdict(met, word) {
  const [sign, usual, kind] = VERDICTS[String(met ?? null)];
  return element("span", { class: `chip ${kind}` }, silent(sign), ` ${word ?? usual}`);
}

/** A cell of the heat table: the sign alone for the eye, the word for the ear; what isn't met leads on. */
export function heatCell(met, address, about) {
  const [sign, word, kind] = VERDICTS[String(met)];
  const shown = met === true ? [silent(sign), spoken(word)] : [element("a", { href: address, title: about }, silent(sign), spoken(`${word}：${about}`))];
  return element("td", { class: kind }, ...shown);
}

export function legend(...more) {
  const items = Object.values(VERDICTS).map(([sign, word, kind]) => element("li", {}, element("span", { class: `chip ${kind}` }, silent(sign), ` ${word}`)));
  return element("ul", { class: "legend", "aria-label": "图例" }, ...items, ...more.map((text) => element("li", {}, text)));
}

/** A part of a page with its own heading. */
export function card(title, ...children) {
  return element("section", { class: "card" }, element("h3", {}, title), ...children);
}

/** The heading of a view, which takes the focus when the view is shown. */
export const title = (text, ...more) => element("h2", { tabindex: "-1" }, text, ...more);

/** Where a view stands below others: [[address, name], …, [null, name]]. */
export function path(...steps) {
  const items = steps.map(([address, name]) => element("li", {}, address ? link(address, name) : element("span", { "aria-current": "page" }, name)));
  return element("nav", { class: "path", "aria-label": "所在位置" }, element("ol", {}, ...items));
}

/** Names and what they are: [[name, text or element], …]. */
export function facts(pairs) {
  const shown = pairs.filter(([, what]) => what !== null && what !== undefined && what !== "");
  return element("dl", { class: "facts" }, ...shown.map(([name, what]) => element("div", {}, element("dt", {}, name), element("dd", {}, what))));
}

/** Large figures: [[name, text], …]. */
export function figures(pairs) {
  return element("ul", { class: "figures" }, ...pairs.map(([name, text]) => element("li", {}, element("span", {}, name), element("strong", {}, text))));
}

/** The same as a chart, for whoever reads better than looks. */
export function asTable(caption, heading, rows) {
  return element("details", {}, element("summary", {}, "以表格查看"), table(caption, heading, rows));
}

export function button(text, act, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", act);
  return made;
}

/** A labelled choice: options [[value, text], …]. */
export function choice(name, label, options, chosen, act) {
  const select = element("select", { id: name }, ...options.map(([value, text]) => element("option", { value }, text)));
  select.value = chosen;
  select.addEventListener("change", () => act(select.value));
  return element("span", { class: "choice" }, element("label", { for: name }, label), select);
}

/** A station's name without what all of them are called. */
export const short = (name) => name.replace(/(办事处|人民政府)?民政工作站$/, "") || name;

export const points = (hundredths) => (hundredths === null || hundredths === undefined ? "–" : (hundredths / 100).toFixed(2));
export const yuan = (fen) => (fen / 100).toLocaleString("zh-CN", { minimumFractionDigits: 2 });
export const moment = (instant) => (instant ? new Date(instant).toLocaleString("zh-CN", { timeZone: "Asia/Shanghai", dateStyle: "medium", timeStyle: "short" }) : "");

/** A measured value with its unit; money comes in fen. */
export function measured(text, unit) {
  if (text === null || text === undefined) return "–";
  if (unit === "分" && /^\d+$/.test(text)) return text === "1" ? "有，大于 0 元" : `${yuan(Number(text))} 元`;
  return unit && /^[\d.–-]+$/.test(text) ? `${text} ${unit}` : text;
}
