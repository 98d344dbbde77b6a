// The caller and the interface. The token lives in memory only; a reload signs out.
import { element, button } from "./elements.js";

const API = "/api/v1";
const PAGES = 20; // of a list, at most: more than that is for the interface, not for a page

export const session = { token: null, refresh: null, me: null, paths: {}, codes: new Map(), standard: "sanyou_siquan" };

export async function sign(fields) {
  const answer = await fetch(`${API}/auth/token`, { method: "POST", body: new URLSearchParams(fields) });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail ?? "登录失败");
  [session.token, session.refresh] = [body.access_token, body.refresh_token];
}

/** Who is signed in, what the interface lets him ask, and the words for its codes. */
export async function enter(fields) {
  await sign({ grant_type: "password", ...fields });
  const [me, document, codes] = await Promise.all([ask("me"), ask("/openapi.json"), ask("codes")]);
  [session.me, session.paths] = [me, document.paths];
  session.codes = new Map(codes.items.map((one) => [`${one.kind} ${one.code}`, one.text]));
}

export async function leave() {
  await fetch(`${API}/auth/logout`, { method: "POST", headers: { Authorization: `Bearer ${session.token}` } }).catch(() => null);
  forget();
}

export function forget() {
  Object.assign(session, { token: null, refresh: null, me: null });
}

async function renew() {
  const refresh = session.refresh;
  session.refresh = null;
  try {
    await sign({ grant_type: "refresh_token", refresh_token: refresh });
  } catch {
    forget();
    throw Object.assign(new Error("登录已过期，请重新登录。"), { signedOut: true });
  }
}

async function request(path, options = {}) {
  const headers = { Accept: "application/json", ...(options.headers ?? {}) };
  if (session.token) headers.Authorization = `Bearer ${session.token}`;
  const answer = await fetch(path.startsWith("/") ? path : `${API}/${path}`, { ...options, headers });
  if (answer.status === 401 && session.refresh && !options.again) {
    await renew();
    return request(path, { ...options, again: true });
  }
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(problem.detail ?? `请求失败（${answer.status}），请稍后重试。`), { status: answer.status });
  }
  return answer;
}

export const ask = async (path, options) => (await request(path, options)).json();

export function tell(path, body) {
  return ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

/** All items of a list, page by page. */
export async function list(path) {
  const found = [];
  let cursor = null;
  for (let page = 0; page < PAGES; page += 1) {
    const joint = path.includes("?") ? "&" : "?";
    const answer = await ask(`${path}${joint}limit=200${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    found.push(...answer.items);
    cursor = answer.next_cursor;
    if (!cursor) break;
  }
  return found;
}

/** How many a list holds. */
export const count = async (path) => (await ask(`${path}${path.includes("?") ? "&" : "?"}limit=1&count=true`)).total;

/** Whether the published duties of a list include one of the caller's: a refused question would stand in the audit trail. */
export function mayAsk(path) {
  const operation = session.paths[`${API}/${path.split("?")[0]}`]?.get;
  return (operation?.["x-duties"] ?? []).some((duty) => session.me.duties.includes(duty));
}

/** The published word for a code. */
export const word = (kind, code) => (code ? (session.codes.get(`${kind} ${code}`) ?? code) : "–");

// --- files ------------------------------------------------------------------------------------------------------------

const addressOf = (blob) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(blob);
  });

const nameIn = (answer) => decodeURIComponent((answer.headers.get("content-disposition") ?? "").match(/filename\*=UTF-8''([^;]+)/)?.[1] ?? "证据");

async function digest(blob) {
  if (!crypto.subtle) return null;
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Buttons for evidence files: each opens in a dialogue of this page. The file needs the token; each look is on record. */
export function evidence(files, about, say) {
  if (!files.length) return null;
  const buttons = files.map((file, place) => {
    const open = () => look(file, `${about}：证据 ${place + 1}`).catch((error) => say(`证据无法打开：${error.message}`, true));
    return button(`证据 ${place + 1}`, open, { class: "evidence", "aria-label": `查看${about}的证据 ${place + 1}` });
  });
  return element("span", { class: "buttons" }, ...buttons);
}

async function look(file, about) {
  const answer = await request(`evidence-files/${file}`);
  const blob = await answer.blob();
  const name = nameIn(answer);
  const isPicture = blob.type.startsWith("image/");
  const address = await addressOf(blob);
  const shown = isPicture ? element("img", { src: address, alt: `${about}（${name}）` }) : element("p", {}, "PDF 文件，请保存后查看。");
  const hash = await digest(blob);
  document.getElementById("viewer-title").textContent = about;
  const facts = `${name} · ${Math.ceil(blob.size / 1024)} KB${hash ? ` · SHA-256 ${hash}` : ""}`;
  const save = element("a", { href: address, download: name, class: "button" }, "保存文件");
  document.getElementById("viewer-body").replaceChildren(shown, element("p", { class: "hint" }, facts), save);
  document.getElementById("viewer").showModal();
}

/** Saves what a path answers, as a file. */
export async function download(path, name) {
  const address = URL.createObjectURL(await (await request(path)).blob());
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
