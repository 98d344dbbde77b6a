// Acceptance campaigns: where each stands, its results, what was published.
import { button, card, element, facts, link, moment, number, path, points, table, title, verdict } from "./elements.js";
import { ask, download, list, mayAsk, session, word } from "./session.js";

const ORDER = ["draft", "preparation", "implementation", "inspection", "closed", "published"];
const STARTS = { preparation: "preparation_from", implementation: "implementation_from", inspection: "inspection_from", closed: "conclude_by" };

export async function campaigns() {
  if (!mayAsk("inspection-campaigns")) return [title("验收通报"), publishedTable("最近一次公布的验收结果", await list("reports/stations"))];
  const [found, names] = await Promise.all([list("inspection-campaigns"), standards()]);
  const rows = found.map((one) => [
    element("th", { scope: "row" }, link(`#/campaigns/${one.id}`, one.title)),
    names.get(one.standard) ?? one.standard,
    one.as_of,
    element("td", {}, phaseOf(one.phase)),
    `${one.schedule.preparation_from} 至 ${one.schedule.conclude_by}`,
  ]);
  return [title("检查验收"), table("检查验收活动", ["活动", "标准", "核实日期", "阶段", "日程"], rows)];
}

const standards = async () => new Map((await ask("station-standards")).items.map((one) => [one.code, one.name]));
const phaseOf = (phase) => verdict(phase === "published" ? true : phase === "cancelled" ? false : null, word("campaign_phase", phase));

export async function campaign({ id, say }) {
  const [one, results, published, inspections, names] = await Promise.all([
    ask(`inspection-campaigns/${id}`),
    ask(`inspection-campaigns/${id}/results`),
    ask(`inspection-campaigns/${id}/published-results`),
    list(`inspections?campaign_id=${id}`),
    standards(),
  ]);
  const fixed = Array.isArray(published) ? published : published.items;
  const about = facts([
    ["标准", `${names.get(one.standard) ?? one.standard}，版本 ${one.standard_version}`],
    ["核实日期", one.as_of],
    ["抽查", `种子 ${one.seed}，每站 ${one.sample_size} 个村（社区）`],
    ["开展", `${one.opened.name}，${moment(one.opened.at)}`],
    ["公布", one.published ? `${one.published.name}，${moment(one.published.at)}` : null],
  ]);
  const shown = [path(["#/campaigns", "检查验收"], [null, one.title]), title(one.title), steps(one), card("固定的依据", about)];
  if (fixed.length) shown.push(...bulletin(id, say), publishedTable("公布的结果", fixed));
  else shown.push(resultsTable(Array.isArray(results) ? results : results.items, inspections));
  return shown;
}

function steps(one) {
  if (one.phase === "cancelled") return element("p", {}, phaseOf(one.phase));
  const now = ORDER.indexOf(one.phase);
  const items = ORDER.map((phase, place) => {
    const day = one.schedule[STARTS[phase]];
    const sign = place < now ? "✓" : String(place + 1);
    return element("li", { class: place < now ? "done" : place === now ? "now" : "", "aria-current": place === now ? "step" : null }, element("span", { class: "sign", "aria-hidden": "true" }, sign), word("campaign_phase", phase), day ? element("small", {}, day) : null);
  });
  return element("ol", { class: "phases", "aria-label": "活动阶段" }, ...items);
}

/** The printed bulletin, where the interface has one. */
function bulletin(id, say) {
  const known = Object.keys(session.paths).find((address) => /inspection-campaigns\/\{campaign_id\}\/.*pdf$/.test(address));
  if (!known) return [];
  const address = known.replace("{campaign_id}", id);
  const save = button("下载通报（PDF）", () => download(address, "验收通报.pdf").catch((error) => say(error.message, true)));
  return [element("div", { class: "tools" }, save)];
}

function failedOf(rows) {
  const failed = rows.filter((row) => row.found === false && !row.rectified);
  return failed.map((row) => row.name).join("、") || "–";
}

function resultsTable(results, inspections) {
  const states = new Map(inspections.map((one) => [one.station_id, one]));
  const rows = results.map((one) => {
    const inspection = states.get(one.station_id);
    return [
      element("th", { scope: "row" }, link(`#/stations/${one.station_id}`, one.station_name)),
      element("td", {}, verdict(one.passed, { true: "通过", false: "不通过", null: "未定" }[String(one.passed)])),
      number(points(one.score_points)),
      number(one.rank === null ? "–" : String(one.rank)),
      failedOf(one.criteria),
      inspection ? word("inspection_state", inspection.state) : "–",
      number(String(one.criteria.filter((row) => row.disagrees).length)),
    ];
  });
  return table("各站结果（当前）", ["工作站", "结果", "得分", "名次", "未达标指标", "验收状态", "自评与数据不一致"], rows);
}

function publishedTable(caption, published) {
  const rows = published.map((one) => [
    element("th", { scope: "row" }, mayAsk("stations") ? link(`#/stations/${one.station_id}`, one.station_name) : one.station_name),
    number(String(one.rank)),
    element("td", {}, verdict(one.passed, one.passed ? "通过" : "不通过")),
    number(points(one.score_points)),
    word("acceptance_notice", one.consequence.notice),
    number(one.consequence.points_off ? `−${points(one.consequence.points_off)}` : "–"),
    element("td", { class: "hash", title: one.content_hash }, one.content_hash.slice(0, 12)),
  ]);
  return table(caption, ["工作站", "名次", "结果", "得分", "通报", "年终考评扣分", "内容指纹"], rows);
}
