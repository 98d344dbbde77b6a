// What there is: registry, applications, entitlements, payments, what waits; and the lists of rectifications and leads.
import * as charts from "./charts.js";
import { asTable, card, element, figures, link, number, table, title, verdict, yuan } from "./elements.js";
import { ask, count, list, mayAsk, session, word } from "./session.js";
import { stateOf } from "./stations.js";

const COMMAS = (value) => Number(value).toLocaleString("zh-CN");
const PIPELINE = ["draft", "submitted", "returned", "accepted", "opinion_given", "refusal_proposed", "notice_open", "notice_closed", "confirmed", "refused"];
const BATCHES = 12;
const DUTIES = {
  community_worker: "村（社区）民政专干", station_clerk: "民政工作站经办人", station_head: "民政工作站站长", reviewer: "审核员", finance: "财务", approver: "审批人",
  treasury: "财政", disability_federation: "残联", inspector: "检查员", policy_officer: "政策管理员", auditor: "审计员", admin: "系统管理员",
};

/** [name, figure] for each list that the caller may ask. */
async function counted(...wanted) {
  const found = await Promise.all(wanted.filter(([, address]) => mayAsk(address)).map(async ([name, address]) => [name, COMMAS(await count(address))]));
  return found;
}

async function figureCard(name, ...wanted) {
  const found = await counted(...wanted);
  return found.length ? card(name, figures(found)) : null;
}

/** A card, or its name with what went wrong: one list that can't be read doesn't hide the others. */
async function whole(name, make, ...wanted) {
  try {
    return await (wanted.length ? make(name, ...wanted) : make());
  } catch (error) {
    if (error.signedOut) throw error;
    return card(name, element("p", { class: "notice" }, `未能读取：${error.message}`));
  }
}

export async function overview() {
  const today = new Date().toLocaleDateString("zh-CN", { timeZone: "Asia/Shanghai", dateStyle: "full" });
  const parts = await Promise.all([
    whole("登记", figureCard, ["登记人口", "persons"], ["登记家庭", "households"]),
    whole("保障", figureCard, ["在保", "entitlements?state=active"], ["暂停", "entitlements?state=suspended"], ["已终止", "entitlements?state=ended"]),
    whole("工作站", figureCard, ["民政工作站", "stations"], ["信息监督员", "informants"], ["未办结线索", "leads?open_only=true"]),
    whole("验收整改", figureCard, ["未销号", "rectifications?open_only=true"], ["逾期", "rectifications?overdue=true"]),
    whole("申请", applicationsCard),
    whole("发放", paymentsCard),
    whole("我的待办", tasksCard),
  ]);
  const duties = session.me.duties.map((duty) => DUTIES[duty] ?? duty).join("、");
  return [title(`${session.me.area_name} 总览`), element("p", { class: "lead" }, `${today} · ${duties}`), element("div", { class: "cards" }, ...parts.filter(Boolean))];
}

async function applicationsCard() {
  if (!mayAsk("applications")) return null;
  const values = await Promise.all(PIPELINE.map((state) => count(`applications?state=${state}`)));
  const steps = PIPELINE.map((state, place) => ({ name: word("application_state", state), value: values[place], text: COMMAS(values[place]) })).filter((step) => step.value);
  const all = values.reduce((sum, value) => sum + value, 0);
  const rows = steps.map((step) => [step.name, number(step.text)]);
  return card(`申请（${COMMAS(all)} 件）`, charts.bars("申请按状态", steps), asTable("申请按状态（件）", ["状态", "件数"], rows));
}

async function paymentsCard() {
  if (!mayAsk("payment-batches")) return null;
  const batches = (await ask(`payment-batches?limit=${BATCHES}`)).items;
  const months = new Map();
  for (const batch of batches) if (batch.state === "released") months.set(batch.pay_month, (months.get(batch.pay_month) ?? 0) + batch.total_fen);
  const steps = [...months].sort().map(([month, fen]) => ({ name: month, value: fen, text: `${yuan(fen)} 元` }));
  const rows = batches.map((batch) => [
    element("th", { scope: "row", class: "day" }, batch.number),
    batch.pay_month,
    element("td", {}, verdict({ released: true, rejected: false, treasury_returned: false, cancelled: false }[batch.state] ?? null, word("payment_batch_state", batch.state))),
    number(COMMAS(batch.households)),
    number(yuan(batch.total_fen)),
    number(batch.held_fen ? yuan(batch.held_fen) : "–"),
  ]);
  const chart = steps.length ? charts.bars("已发放金额按月", steps) : null;
  return card("发放", chart, table("最近的发放批次", ["批次号", "发放月份", "状态", "户数", "金额（元）", "暂未发放（元）"], rows));
}

async function tasksCard() {
  const tasks = await ask("tasks?limit=20");
  const rows = tasks.items.map((task) => [task.title, task.number, task.due_on ?? "–", element("td", {}, task.overdue ? verdict(false, "已逾期") : verdict(null, "待办"))]);
  const lists = tasks.work_lists.length ? figures(tasks.work_lists.map((one) => [one.title, COMMAS(one.open)])) : null;
  return card("我的待办", lists, table("等我办理的申请", ["事项", "编号", "期限", "状态"], rows));
}

export async function rectifications() {
  const [found, stations, law] = await Promise.all([list("rectifications"), mayAsk("stations") ? list("stations") : [], ask(`station-standards/${session.standard}`)]);
  const names = new Map(stations.map((one) => [one.id, one.name]));
  const criteria = new Map(law.versions.flatMap((version) => version.criteria.map((one) => [one.code, one.name])));
  const late = found.filter((one) => one.overdue_days).length;
  const order = (one) => (one.state === "closed" ? 2 : one.overdue_days ? 0 : 1);
  const rows = found
    .toSorted((one, other) => order(one) - order(other) || one.due_on.localeCompare(other.due_on))
    .map((one) => [
      element("th", { scope: "row" }, link(`#/stations/${one.station_id}/${one.criterion}`, criteria.get(one.criterion) ?? one.criterion)),
      names.get(one.station_id) ?? one.area_code,
      one.requirement,
      one.due_on,
      one.owner ?? "–",
      element("td", {}, stateOf(one)),
    ]);
  const sum = figures([["整改事项", COMMAS(found.length)], ["已销号", COMMAS(found.filter((one) => one.state === "closed").length)], ["待复查", COMMAS(found.filter((one) => one.state === "submitted").length)], ["逾期", COMMAS(late)]]);
  return [title("验收整改"), sum, table("整改事项", ["指标", "工作站", "要求", "期限", "责任人", "状态"], rows)];
}

export async function leads() {
  const found = await list("leads");
  const rows = found.map((one) => [
    element("th", { scope: "row" }, word("lead_kind", one.kind)),
    one.about,
    one.area_code,
    one.description,
    one.due_on,
    element("td", {}, one.overdue ? verdict(false, `${word("lead_state", one.state)}，已逾期`) : verdict(one.state === "settled" ? true : null, word("lead_state", one.state))),
    one.handler ?? "–",
    one.outcome ? word("lead_outcome", one.outcome) : "–",
  ]);
  return [title("村（社区）线索"), table("线索", ["类别", "涉及", "区划", "情况", "期限", "状态", "首问负责人", "结果"], rows)];
}
