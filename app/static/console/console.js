// The console: views by address, signing in and out. Plain DOM, no library, no other host.
import { campaign, campaigns } from "./campaigns.js";
import { leads, overview, rectifications } from "./overview.js";
import { enter, forget, leave, mayAsk, session } from "./session.js";
import { criterion, station, stations } from "./stations.js";

const byId = (id) => document.getElementById(id);
// first part of the address → the view for so many parts behind it
const views = { overview: [overview], stations: [stations, station, criterion], campaigns: [campaigns, campaign], rectifications: [rectifications], leads: [leads] };
let latest = 0;

function say(text, isError = false) {
  byId("status").textContent = isError ? "" : text;
  byId("alert").textContent = isError ? text : "";
}

function mark(name) {
  for (const item of document.querySelectorAll("#nav a")) {
    if (item.hash === `#/${name}`) item.setAttribute("aria-current", "page");
    else item.removeAttribute("aria-current");
  }
}

async function show() {
  if (!session.me) return;
  const [, asked, id, code] = location.hash.split("/");
  const name = asked in views ? asked : "overview";
  const view = views[name][id ? (code ? 2 : 1) : 0] ?? views[name][0];
  const turn = ++latest;
  say("正在读取……");
  mark(name);
  byId("view").setAttribute("aria-busy", "true");
  try {
    const parts = await view({ id, code, say, again: show });
    if (turn === latest) replace(parts);
  } catch (error) {
    if (turn === latest) say(error.message, true);
    if (error.signedOut) signedIn(false);
  } finally {
    if (turn === latest) byId("view").removeAttribute("aria-busy");
  }
}

function replace(parts) {
  byId("view").replaceChildren(...parts.filter(Boolean));
  const heading = byId("view").querySelector("h2");
  document.title = `${heading.textContent} · 民政工作台`;
  heading.focus({ preventScroll: true });
  scrollTo(0, 0);
  say("");
}

function signedIn(isIn) {
  for (const id of ["nav", "who", "view"]) byId(id).hidden = !isIn;
  byId("sign-in").hidden = isIn;
  if (!isIn) {
    byId("view").replaceChildren();
    document.title = "民政工作台";
    byId("username").focus();
  }
}

byId("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = new FormData(event.target);
  say("正在登录……");
  try {
    await enter({ username: fields.get("username"), password: fields.get("password") });
  } catch (error) {
    forget();
    byId("password").value = "";
    byId("username").focus();
    return say(error.message, true);
  }
  for (const item of document.querySelectorAll("#nav a[data-list]")) item.parentElement.hidden = !item.dataset.list.split(" ").some(mayAsk);
  byId("who-name").textContent = `${session.me.display_name}（${session.me.area_name}）`;
  event.target.reset();
  signedIn(true);
  if (location.hash) await show();
  else location.hash = "#/overview";
});

byId("sign-out").addEventListener("click", async () => {
  await leave();
  latest += 1; // whatever is still on its way isn't shown any more
  signedIn(false);
  say("已退出。");
});

byId("viewer-close").addEventListener("click", () => byId("viewer").close());
byId("viewer").addEventListener("close", () => byId("viewer-body").replaceChildren());
addEventListener("hashchange", show);
