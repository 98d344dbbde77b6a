// The console: plain DOM, no library, no other host. The token lives in memory only; a reload signs out.
const api = "/api/v1";
const byId = (id) => document.getElementById(id);
const standard = "sanyou_siquan";
// sign for the eye, word for the ear, class
const words = { true: ["✓", "达标", "yes"], false: ["✗", "未达标", "no"], null: ["–", "不能判断", "open"] };
const phases = { draft: "草稿", preparation: "准备", implementation: "实施", inspection: "检查验收", closed: "已结束", published: "已公布", cancelled: "已取消" };
const states = { open: "整改中", submitted: "待复查", closed: "已销号", reported: "待接办", taken: "办理中", settled: "已办结", withdrawn: "已撤回" };
const dimensions = { premises: "办公场所", staff: "工作人员", facilities: "办公设施", rules: "工作制度", archives: "档案资料", team: "队伍建设" };
const session = { token: null, refresh: null, me: null, paths: {} };

// --- elements ---------------------------------------------------------------------------------------------------------

/** element("td", {class: "yes"}, "text", child …): text is always text, never markup. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null && value !== undefined) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function table(caption, heading, rows, className) {
  const head = element("tr", {}, ...heading.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((cell, place) => (cell instanceof Element && /^T[DH]$/.test(cell.tagName) ? cell : element(place ? "td" : "th", place ? {} : { scope: "row" }, cell ?? "")))));
  return element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption }, element("table", { class: className }, element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, ...body)));
}

function verdict(met) {
  const [sign, text, kind] = words[String(met)];
  return element("td", { class: kind }, element("span", { "aria-hidden": "true" }, sign), element("span", { class: "spoken" }, text));
}

const points = (hundredths) => (hundredths === null || hundredths === undefined ? "–" : (hundredths / 100).toFixed(2));
const yuan = (fen) => (fen / 100).toLocaleString("zh-CN", { minimumFractionDigits: 2 });

function say(text, isError = false) {
  byId("status").textContent = text;
  byId("status").className = isError ? "error" : "";
}

// --- the interface ----------------------------------------------------------------------------------------------------

async function ask(path, options = {}) {
  const headers = { Accept: "application/json", ...(options.headers ?? {}) };
  if (session.token) headers.Authorization = `Bearer ${session.token}`;
  const answer = await fetch(path.startsWith("/") ? path : `${api}/${path}`, { ...options, headers });
  if (answer.status === 401 && session.refresh && !options.again) {
    await renew();
    return ask(path, { ...options, again: true });
  }
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(problem.detail ?? `请求失败（${answer.status}）`), { status: answer.status });
  }
  return answer.json();
}

async function sign(fields) {
  const answer = await fetch(`${api}/auth/token`, { method: "POST", body: new URLSearchParams(fields) });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail ?? "登录失败");
  [session.token, session.refresh] = [body.access_token, body.refresh_token];
}

async function renew() {
  const refresh = session.refresh;
  session.refresh = null;
  await sign({ grant_type: "refresh_token", refresh_token: refresh });
}

/** Whether the published duties of a list include one of the caller's: a refused question would stand in the audit trail. */
function mayAsk(path) {
  const operation = session.paths[`${api}/${path.split("?")[0]}`]?.get;
  return (operation?.["x-duties"] ?? []).some((duty) => session.me.duties.includes(duty));
}

/** A figure, or nothing where the duty doesn't reach. */
async function figure(title, path, pick = (page) => page.total) {
  return mayAsk(path) ? [title, pick(await ask(path))] : null;
}

// --- views ------------------------------------------------------------------------------------------------------------

async function overview() {
  const one = "limit=1&count=true";
  const found = await Promise.all([
    figure("登记人口", `persons?${one}`),
    figure("申请", `applications?${one}`),
    figure("待确认申请", `applications?state=notice_closed&${one}`),
    figure("在保", `entitlements?state=active&${one}`),
    figure("发放批次", `payment-batches?${one}`),
    figure("未办结线索", `leads?open_only=true&${one}`),
    figure("未销号整改", `rectifications?open_only=true&${one}`),
    figure("逾期整改", `rectifications?overdue=true&${one}`),
  ]);
  const figures = found.filter(Boolean).map(([title, value]) => element("li", {}, title, element("strong", {}, Number(value).toLocaleString("zh-CN"))));
  const shown = [element("h2", {}, `${session.me.area_name} 总览`), element("ul", { class: "figures" }, ...figures)];
  const batches = await figure("", "payment-batches?limit=12", (page) => page.items);
  if (batches) shown.push(table("最近的发放批次", ["批次号", "发放月份", "状态", "户数", "金额（元）"], batches[1].map((batch) => [batch.number, batch.pay_month, batch.state, String(batch.households), element("td", { class: "number" }, yuan(batch.total_fen))])));
  const tasks = await ask("tasks?limit=20");
  shown.push(table("待办", ["事项", "编号", "期限"], tasks.items.map((task) => [task.title, task.number, `${task.due_on ?? ""}${task.overdue ? "（已逾期）" : ""}`])));
  shown.push(table("另有清单的工作", ["清单", "未处理"], tasks.work_lists.map((list) => [list.title, String(list.open)])));
  return shown;
}

async function stations() {
  const found = await ask(`reports/station-dashboard?standard=${standard}&months=6`);
  const heading = ["工作站", "得分", ...found.criteria.map((criterion) => criterion.name)];
  const rows = found.stations.map((station) => [
    element("th", { scope: "row" }, element("a", { href: `#/stations/${station.station_id}` }, station.name)),
    element("td", { class: "number" }, points(station.points)),
    ...station.cells.map(verdict),
  ]);
  const heat = table(`三有四全热力表（${found.as_of}）`, heading, rows, "heat");
  heat.querySelectorAll("thead th").forEach((cell, place) => place > 1 && cell.classList.add("criterion"));
  const trend = table("各维度平均得分走势", ["日期", ...Object.values(dimensions)], found.trend.map((point) => [point.as_of, ...Object.keys(dimensions).map((code) => element("td", { class: "number" }, points(point.points[code])))]));
  const funnel = found.rectifications;
  const steps = table("整改漏斗", ["列出", "待复查", "已销号", "逾期未提交"], [[funnel.found, funnel.submitted, funnel.closed, funnel.overdue].map(String)]);
  return [element("h2", {}, "民政工作站"), heat, trend, steps];
}

async function station(id) {
  const [record, facts, law, page] = await Promise.all([
    ask(`stations/${id}`),
    ask(`stations/${id}/facts`),
    ask(`station-standards/${standard}`),
    figure("", "inspections?limit=200", (found) => found.items.filter((one) => one.station_id === id)),
  ]);
  const answer = await ask("stations/assessments", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ standard, as_of: facts.as_of, facts: stripped(facts.facts) }) });
  const sentences = new Map(law.versions.flatMap((version) => version.criteria.map((criterion) => [criterion.code, criterion])));
  const rows = answer.criteria.map((criterion) => {
    const source = sentences.get(criterion.code);
    return [
      source?.name ?? criterion.code,
      dimensions[criterion.dimension] ?? criterion.dimension,
      verdict(criterion.met),
      criterion.measured ?? "",
      criterion.required ?? "",
      element("td", {}, element("blockquote", {}, source ? `${source.sentence}（${source.article}）` : "")),
    ];
  });
  const shown = [element("h2", {}, record.name), element("p", {}, element("a", { href: "#/stations" }, "返回工作站列表"))];
  shown.push(radar(answer.dimensions));
  shown.push(table(`逐项结论（${facts.as_of}，由登记的事实得出）`, ["指标", "方面", "结论", "现状", "要求", "原文"], rows));
  for (const inspection of page?.[1] ?? []) shown.push(await inspected(inspection, sentences));
  return shown;
}

/** Unknown facts are left out: the stateless assessment takes what is known. */
function stripped(value) {
  if (Array.isArray(value)) return value.map(stripped);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null).map(([key, inner]) => [key, stripped(inner)]));
}

async function inspected(inspection, sentences) {
  const marks = await ask(`inspections/${inspection.id}/marks`);
  const rows = marks.map((mark) => [
    sentences.get(mark.criterion)?.name ?? mark.criterion,
    mark.source === "self" ? "自评" : "检查",
    verdict(mark.met),
    mark.note ?? "",
    element("td", {}, ...mark.evidence.map((file, place) => evidence(file, place + 1))),
  ]);
  return table(`${inspection.title}（${phases[inspection.phase]}）`, ["指标", "来源", "结论", "说明", "证据"], rows);
}

/** The file needs the token, so it is fetched and opened from memory. */
function evidence(file, number) {
  const button = element("button", { type: "button" }, `证据 ${number}`);
  button.addEventListener("click", async () => {
    const answer = await fetch(`${api}/evidence-files/${file}`, { headers: { Authorization: `Bearer ${session.token}` } });
    if (!answer.ok) return say("证据无法打开，请刷新后重试。", true);
    const address = URL.createObjectURL(await answer.blob());
    window.open(address, "_blank", "noopener");
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  });
  return button;
}

function radar(found) {
  const size = 160;
  const share = found.map((one) => (one.criteria_total ? one.criteria_met / one.criteria_total : 0));
  const at = (place, radius) => {
    const angle = (2 * Math.PI * place) / found.length - Math.PI / 2;
    return [size + radius * Math.cos(angle), size + radius * Math.sin(angle)].map((number) => number.toFixed(1)).join(",");
  };
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const draw = (name, attributes, text) => {
    const part = document.createElementNS(svg.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
    if (text) part.textContent = text;
    svg.append(part);
  };
  svg.setAttribute("viewBox", `-30 0 ${2 * size + 60} ${2 * size}`);
  svg.setAttribute("class", "radar");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", found.map((one) => `${dimensions[one.dimension] ?? one.dimension} ${one.criteria_met}/${one.criteria_total}`).join("，"));
  for (const ring of [0.5, 1]) draw("polygon", { points: found.map((_, place) => at(place, ring * 120)).join(" "), fill: "none", stroke: "currentColor", "stroke-opacity": 0.3 });
  draw("polygon", { points: share.map((part, place) => at(place, part * 120)).join(" "), fill: "currentColor", "fill-opacity": 0.2, stroke: "currentColor" });
  found.forEach((one, place) => {
    const [x, y] = at(place, 140).split(",");
    draw("text", { x, y, "text-anchor": "middle" }, dimensions[one.dimension] ?? one.dimension);
  });
  return svg;
}

async function rectifications() {
  const page = await ask("rectifications?limit=200");
  const rows = page.items.map((one) => [one.criterion, one.area_code, one.requirement, one.due_on, states[one.state], one.overdue_days ? `${one.overdue_days} 天` : ""]);
  return [element("h2", {}, "验收整改"), table("整改事项", ["指标", "区划", "要求", "期限", "状态", "逾期"], rows)];
}

async function leads() {
  const page = await ask("leads?limit=200");
  const rows = page.items.map((one) => [one.about, one.area_code, one.description, one.due_on + (one.overdue ? "（已逾期）" : ""), states[one.state], one.handler ?? ""]);
  return [element("h2", {}, "村（社区）线索"), table("线索", ["涉及", "区划", "情况", "期限", "状态", "首问负责人"], rows)];
}

// --- moving about -----------------------------------------------------------------------------------------------------

const views = { overview, stations, rectifications, leads };
let latest = 0;

async function show() {
  if (!session.me) return;
  const [, name = "overview", id] = location.hash.split("/");
  const turn = ++latest;
  say("正在读取……");
  document.querySelectorAll("#nav a").forEach((link) => (link.hash === `#/${name}` ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current")));
  try {
    const parts = await (name === "stations" && id ? station(id) : (views[name] ?? overview)());
    if (turn !== latest) return;
    byId("view").replaceChildren(...parts);
    document.title = `${byId("view").querySelector("h2").textContent} · 民政工作台`;
    byId("main").focus({ preventScroll: true });
    scrollTo(0, 0);
    say("");
  } catch (error) {
    if (turn === latest) say(error.message, true);
  }
}

function signedIn(isIn) {
  for (const id of ["nav", "who", "view"]) byId(id).hidden = !isIn;
  byId("sign-in").hidden = isIn;
}

byId("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = new FormData(event.target);
  try {
    await sign({ grant_type: "password", username: fields.get("username"), password: fields.get("password") });
    session.me = await ask("me");
    session.paths = (await ask("/openapi.json")).paths;
    document.querySelectorAll("#nav a[data-list]").forEach((link) => (link.hidden = !mayAsk(link.dataset.list)));
    byId("who-name").textContent = `${session.me.display_name}（${session.me.area_name}）`;
    event.target.reset();
    signedIn(true);
    if (!location.hash) location.hash = "#/overview";
    await show();
  } catch (error) {
    say(error.message, true);
  }
});

byId("sign-out").addEventListener("click", async () => {
  await fetch(`${api}/auth/logout`, { method: "POST", headers: { Authorization: `Bearer ${session.token}` } }).catch(() => null);
  Object.assign(session, { token: null, refresh: null, me: null });
  byId("view").replaceChildren();
  signedIn(false);
  say("已退出。");
  byId("username").focus();
});

addEventListener("hashchange", show);
