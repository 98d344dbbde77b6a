// District → station → criterion → evidence.
import * as charts from "./charts.js";
import { asTable, button, card, choice, element, facts, heatCell, legend, link, measured, moment, number, path, points, short, spoken, table, title, verdict } from "./elements.js";
import { ask, download, evidence, list, mayAsk, session, tell, word } from "./session.js";

const DIMENSIONS = ["premises", "staff", "facilities", "rules", "archives", "team"];
const dimension = (code) => word("station_dimension", code);
const hundred = (hundredths) => (hundredths === null || hundredths === undefined ? null : hundredths / 100);

// --- the district -----------------------------------------------------------------------------------------------------

export async function stations({ say, again }) {
  const [found, standards] = await Promise.all([ask(`reports/station-dashboard?standard=${session.standard}&months=6`), ask("station-standards")]);
  const chosen = standards.items.find((one) => one.code === session.standard);
  const chooseStandard = choice("standard", "标准", standards.items.map((one) => [one.code, one.name]), session.standard, (code) => {
    session.standard = code;
    again();
  });
  const save = button("下载 XLSX（含图表）", () => download(`reports/station-dashboard.xlsx?standard=${session.standard}&months=6`, `stations-${found.as_of}.xlsx`).catch((error) => say(error.message, true)));
  const heat = element("div", {});
  const filter = choice("only", "显示", [["all", "全部工作站"], ["wanting", "只看有未达标的"]], "all", (only) => heat.replaceChildren(heatTable(found, only === "wanting")));
  heat.append(heatTable(found, false));
  return [
    title("民政工作站"),
    element("p", { class: "lead" }, `${chosen?.description ?? ""} 以 ${found.as_of} 登记的事实逐站计算。`),
    element("div", { class: "tools" }, chooseStandard, filter, legend("＊ 必达指标"), save),
    heat,
    element("div", { class: "cards" }, trendCard(found.trend), mayAsk("rectifications") ? funnelCard(found.rectifications) : null),
  ];
}

function heatTable(found, onlyWanting) {
  const order = found.criteria.map((_, place) => place).sort((one, other) => rankOf(found.criteria[one]) - rankOf(found.criteria[other]) || one - other);
  const criteria = order.map((place) => found.criteria[place]);
  const wanted = found.stations.filter((station) => !onlyWanting || station.cells.includes(false));
  const heading = [
    element("th", { scope: "col" }, "工作站"),
    element("th", { scope: "col" }, "得分"),
    ...criteria.map((one) => element("th", { scope: "col", class: "criterion" }, one.mandatory ? element("span", { "aria-hidden": "true" }, "＊") : null, one.name, one.mandatory ? spoken("（必达）") : null)),
  ];
  const rows = wanted.map((station) => [
    element("th", { scope: "row" }, element("a", { href: `#/stations/${station.station_id}`, title: station.name }, short(station.name))),
    number(points(station.points)),
    ...order.map((place) => heatCell(station.cells[place], `#/stations/${station.station_id}/${found.criteria[place].code}`, `${short(station.name)} ${found.criteria[place].name}`)),
  ]);
  const made = table(`站点 × 指标热力表（${wanted.length} 站）`, heading, rows, "heat");
  made.querySelector("thead").prepend(groupsOf(criteria));
  return made;
}

const rankOf = (one) => DIMENSIONS.indexOf(one.dimension);

/** The six aspects above their criteria. */
function groupsOf(criteria) {
  const spans = DIMENSIONS.map((code) => [code, criteria.filter((one) => one.dimension === code).length]).filter(([, span]) => span);
  return element("tr", { class: "groups" }, element("td", { colspan: 2 }), ...spans.map(([code, span]) => element("th", { scope: "colgroup", colspan: span }, dimension(code))));
}

function trendCard(trend) {
  const panels = DIMENSIONS.map((code) => {
    const values = trend.map((point) => ({ day: point.as_of, value: hundred(point.points[code]) }));
    return element("figure", {}, element("figcaption", {}, dimension(code)), charts.line(`${dimension(code)}平均得分走势`, values));
  });
  const rows = trend.map((point) => [point.as_of, ...DIMENSIONS.map((code) => number(points(point.points[code])))]);
  return card("各维度平均得分走势", element("div", { class: "panels" }, ...panels), asTable("各维度平均得分走势（分）", ["日期", ...DIMENSIONS.map(dimension)], rows));
}

export function funnelCard(found) {
  const steps = [
    { name: "列出整改", value: found.found },
    { name: "已提交", value: found.submitted + found.closed },
    { name: "复查销号", value: found.closed },
  ];
  const late = element("p", {}, verdict(found.overdue === 0, found.overdue === 0 ? "没有逾期未提交的整改" : `${found.overdue} 项逾期未提交`), " ", link("#/rectifications", "查看整改事项"));
  const rows = [...steps, { name: "其中待复查", value: found.submitted }, { name: "逾期未提交", value: found.overdue }].map((step) => [step.name, number(String(step.value))]);
  return card("整改漏斗", charts.funnel("整改漏斗", steps), late, asTable("整改漏斗（项）", ["阶段", "项数"], rows));
}

// --- a station --------------------------------------------------------------------------------------------------------

/** What the data on file say of a station today, with the standard's own words. */
async function assessed(id) {
  const [record, onFile, law] = await Promise.all([ask(`stations/${id}`), ask(`stations/${id}/facts`), ask(`station-standards/${session.standard}`)]);
  const answer = await tell("stations/assessments", { standard: session.standard, as_of: onFile.as_of, facts: known(onFile.facts) });
  const version = law.versions.find((one) => one.version === answer.version) ?? law.versions.at(-1);
  return { record, answer, law, asOf: onFile.as_of, sentences: new Map(version.criteria.map((criterion) => [criterion.code, criterion])) };
}

/** Unknown facts are left out: the assessment takes what is known. */
function known(value) {
  if (Array.isArray(value)) return value.map(known);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null).map(([key, inner]) => [key, known(inner)]));
}

export async function station({ id }) {
  const [{ record, answer, law, asOf, sentences }, inspections, work] = await Promise.all([assessed(id), inspectionsOf(id), operationsOf(id)]);
  const failed = answer.criteria.filter((criterion) => criterion.met === false);
  const grade = { qualified: true, unqualified: false }[answer.grade] ?? null;
  const about = facts([
    ["站长", record.head],
    ["副站长", record.deputy],
    ["地址", record.address],
    ["电话", record.phone],
    ["设立", record.opened_on],
    [`按“${law.name}”`, verdict(grade, word("station_grade", answer.grade))],
    ["未达标", failed.length ? element("span", { class: "buttons" }, ...failed.map((one) => link(`#/stations/${id}/${one.code}`, one.name))) : "无"],
  ]);
  const axes = answer.dimensions.map((one) => ({ name: dimension(one.dimension), value: one.points === null ? null : Number(one.points) }));
  const rows = answer.dimensions.map((one) => [dimension(one.dimension), number(one.points ?? "–"), number(`${one.criteria_met}/${one.criteria_total}`)]);
  return [
    path(["#/stations", "工作站"], [null, record.name]),
    title(record.name),
    element(
      "div",
      { class: "cards" },
      card("基本情况", about),
      card("六个方面", charts.radar(`${record.name}各方面得分`, axes), asTable("各方面得分", ["方面", "得分", "达标项"], rows)),
    ),
    criteriaTable(id, answer, sentences, asOf),
    work ? operationsTable(work) : null,
    ...(inspections.length ? [inspectionsTable(inspections)] : []),
  ];
}

function criteriaTable(id, answer, sentences, asOf) {
  const rows = [];
  let last = null;
  for (const criterion of answer.criteria.toSorted((one, other) => rankOf(one) - rankOf(other))) {
    if (criterion.dimension !== last) rows.push(element("tr", { class: "group" }, element("th", { scope: "rowgroup", colspan: 5 }, dimension((last = criterion.dimension)))));
    const source = sentences.get(criterion.code);
    rows.push([
      element("th", { scope: "row" }, link(`#/stations/${id}/${criterion.code}`, criterion.name), criterion.mandatory ? element("span", { class: "must" }, "必达") : null),
      element("td", {}, verdict(criterion.met)),
      criterion.met === null ? word("station_reason", criterion.reason) : measured(criterion.measured, criterion.unit),
      measured(criterion.required, criterion.unit),
      element("td", { class: "source" }, source ? element("q", {}, source.sentence) : "", element("cite", {}, criterion.article)),
    ]);
  }
  return table(`逐项结论（${asOf}，由登记的事实得出）`, ["指标", "结论", "现状", "要求", "原文"], rows, "criteria");
}

const operationsOf = async (id) => (mayAsk("stations/{station_id}/operations") ? ask(`stations/${id}/operations`) : null);

/** How the station works, from its cases: counts before rates, and why there is none. */
function operationsTable(work) {
  const readings = new Map(work.stations[0]?.readings.map((one) => [one.measure, one]) ?? []);
  const rows = work.measures.map((measure) => {
    const one = readings.get(measure.code) ?? {};
    const cases = one.whole ? `${one.part} / ${one.whole}` : "–";
    const rate = one.rate_bp === null || one.rate_bp === undefined ? (one.reason_text ?? "–") : `${(one.rate_bp / 100).toFixed(2)}${measure.unit === "%" ? "%" : ` ${measure.unit}`}`;
    return [
      element("th", { scope: "row" }, measure.name, element("span", { class: "definition" }, measure.definition)),
      number(String(cases)),
      number(one.count === null || one.count === undefined ? rate : `${one.count} ${measure.unit}`),
    ];
  });
  return table(`运行情况（${work.period_from} 至 ${work.period_to}，由申请、保障、发放、线索、办件得出）`, ["指标", "件数", "结果"], rows, "operations");
}

const inspectionsOf = async (id) => (mayAsk("inspections") ? (await list(`inspections?station_id=${id}`)).reverse() : []);

function inspectionsTable(inspections) {
  const rows = inspections.map((one) => [
    one.title,
    one.as_of,
    word("campaign_phase", one.phase),
    word("inspection_state", one.state),
    one.signatures.map((signature) => signature.name).join("、") || "–",
    one.countersigned?.name ?? "–",
    number(String(one.sample.length)),
  ]);
  return table("参加的检查验收", ["活动", "核实日期", "阶段", "本站", "检查组签字", "站长签字", "抽查村（社区）"], rows);
}

// --- a criterion ------------------------------------------------------------------------------------------------------

export async function criterion({ id, code, say }) {
  const [{ record, answer, sentences, asOf }, inspections] = await Promise.all([assessed(id), inspectionsOf(id)]);
  const found = answer.criteria.find((one) => one.code === code);
  if (!found) throw new Error("所选标准没有此项指标，请从工作站页面重新进入。");
  const source = sentences.get(code);
  const rectifications = mayAsk("rectifications") ? (await list(`rectifications?station_id=${id}`)).filter((one) => one.criterion === code) : [];
  const running = inspections.filter((one) => one.phase !== "cancelled");
  const marks = await Promise.all(running.map(async (one) => [one, (await ask(`inspections/${one.id}/marks`)).filter((mark) => mark.criterion === code)]));
  const lacking = await namesOf(record, found.lacking ?? []);
  const about = `${record.name}“${found.name}”`;
  return [
    path(["#/stations", "工作站"], [`#/stations/${id}`, record.name], [null, found.name]),
    title(found.name),
    element("div", { class: "cards" }, requirementCard(found, source), derivedCard(found, asOf, lacking)),
    ...marks.flatMap(([inspection, said]) => sources(inspection, said, found, about, say)),
    ...rectifications.map((one) => rectificationCard(one, about, say)),
  ];
}

function requirementCard(found, source) {
  return card(
    "标准的要求",
    element("blockquote", {}, source?.sentence ?? "", element("cite", {}, found.article)),
    facts([
      ["方面", dimension(found.dimension)],
      ["要求", `${word("station_comparator", found.comparator)} ${measured(found.required, found.unit)}`],
      ["性质", found.mandatory ? "必达：一项不合格即不通过" : "计分"],
      ["权重", source ? String(source.weight) : null],
      ["应有的证据", (found.evidence ?? []).join("、")],
      ["说明", found.assumption],
    ]),
  );
}

// the parts of a fact sheet
const PARTS = {
  staff: "工作人员", premises: "办公场所", budget: "工作经费", equipment: "办公设施", rules: "规章制度", signage: "标识牌", archives: "档案", communities: "村（社区）情况", population: "人口",
  trainings: "培训", meetings: "例会和检查", volunteers: "志愿者", emergency_plan: "应急预案", community_office: "社区办公用房",
};
const missingOf = (pointers) => [...new Set(pointers.map((pointer) => PARTS[pointer.split("/")[1]] ?? pointer))].join("、");

/** The names of the communities that fall short. */
async function namesOf(record, codes) {
  if (!codes.length || !mayAsk("areas")) return codes;
  const names = new Map((await list(`areas?parent_code=${record.area_code}`)).map((area) => [area.area_code, area.name]));
  return codes.map((code) => names.get(code) ?? code);
}

function derivedCard(found, asOf, lacking) {
  return card(
    "登记的事实",
    facts([
      ["结论", verdict(found.met)],
      ["现状", found.met === null ? word("station_reason", found.reason) : measured(found.measured, found.unit)],
      ["缺少", missingOf(found.missing ?? [])],
      ["不足的村（社区）", lacking.join("、")],
      ["提示", found.warning ? word("station_warning", found.warning) : null],
      ["日期", asOf],
    ]),
  );
}

/** The three sources side by side: the data, the station, the inspectors. */
function sources(inspection, said, found, about, say) {
  const self = said.find((mark) => mark.source === "self");
  const looked = said.find((mark) => mark.source === "found");
  const mark = (one) => (one ? [element("td", {}, verdict(one.met)), one.note ?? "–", `${one.name}，${moment(one.at)}`, element("td", {}, evidence(one.evidence, about, say) ?? "–")] : [element("td", {}, verdict(null, "尚未填写")), "–", "–", "–"]);
  const rows = [
    ["系统数据（今日）", element("td", {}, verdict(found.met)), measured(found.measured, found.unit), "系统", "–"],
    ["本站自评", ...mark(self)],
    ["检查组检查", ...mark(looked)],
  ];
  const caption = `${inspection.title}（${word("campaign_phase", inspection.phase)}）：三个来源`;
  const parts = [table(caption, ["来源", "结论", "说明", "何人何时", "证据"], rows, "sources")];
  if (self && found.met !== null && self.met !== found.met) parts.push(element("p", { class: "notice" }, "自评与系统数据不一致。"));
  return parts;
}

function rectificationCard(one, about, say) {
  const steps = [element("li", {}, `要求：${one.requirement}，期限 ${one.due_on}${one.owner ? `，责任人 ${one.owner}` : ""}`)];
  for (const sent of one.submissions) {
    steps.push(element("li", {}, `${moment(sent.at)} ${sent.name} 提交：${sent.note} `, evidence(sent.evidence ?? [], about, say)));
    const looked = sent.reinspection;
    if (looked) steps.push(element("li", {}, `${moment(looked.at)} ${looked.name} 复查：`, verdict(looked.passed, looked.passed ? "通过" : "未通过"), ` ${looked.note}`));
  }
  return card("整改", element("p", {}, stateOf(one)), element("ol", { class: "steps" }, ...steps));
}

/** Where a rectification stands, with its delay. */
export function stateOf(one) {
  const late = one.overdue_days ? `，逾期 ${one.overdue_days} 天，${word("escalation", one.escalated_to)}` : "";
  return verdict(one.state === "closed" ? true : one.overdue_days ? false : null, `${word("rectification_state", one.state)}${late}`);
}
