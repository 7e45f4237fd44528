// App: the page put together. Draws when something has changed, at most once a frame, and never while nobody looks.

import { ended, needsYou, project, span, stateOf, stateWord, title, why, seconds } from "./format.js";
import { el, say, set, spaced } from "./draw.js";
import { Drawer } from "./drawer.js";
import { Rows } from "./rows.js";
import { Store, keyOf } from "./store.js";

const $ = (id) => document.getElementById(id);
const COUNTED = ["needs", "working", "waiting", "idle", "ended"];
const NAMES = { needs: "need you", working: "working", waiting: "at the prompt", idle: "idle", ended: "ended" };

const store = new Store();
const drawer = new Drawer($("drawer"), store);
const rows = new Rows($("board"), store, (key) => drawer.open(key));

let frame = 0;
let called = new Set();

store.onchange = () => {
  if (document.hidden) heading();
  else frame = frame || requestAnimationFrame(draw);
};

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) store.onchange();
});

// Title and icon say how many wait, also while nobody looks.
function heading() {
  const waiting = [...store.sessions.values()].filter(needsYou);
  const text = `${waiting.length ? `(${waiting.length}) ` : ""}${store.live || store.line === "connecting" ? "" : "⚠ "}bellboard`;
  if (document.title !== text) {
    document.title = text;
    icon(waiting.length);
  }
  const now = new Set(waiting.map(keyOf));
  const fresh = waiting.filter((session) => !called.has(keyOf(session)));
  if (fresh.length) say($("announce"), fresh.map((session) => `${title(session)}: ${stateWord(session)}`).join(", "));
  called = now;
}

function icon(count) {
  const badge = count ? `<circle cx="22" cy="10" r="10" fill="#b3261e"/><text x="22" y="15" font-family="sans-serif" font-size="15" font-weight="bold" text-anchor="middle" fill="#fff">${count > 9 ? "9+" : count}</text>` : "";
  const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M5 25c3-3 3-6 3-10a8 8 0 0 1 16 0c0 4 0 7 3 10zM13 27a3 3 0 0 0 6 0" fill="#e6a43a" stroke="#8a5a0e" stroke-width="1.5"/>${badge}</svg>`;
  $("icon").href = `data:image/svg+xml,${encodeURIComponent(picture)}`;
}

function draw() {
  frame = 0;
  const now = Date.now();
  const changes = store.takeChanges();
  heading();
  if (rows.update(changes, now) || changes.machines) rows.order();
  counters();
  needs(now);
  health(now);
  connection(now);
  empty();
  if (drawer.key && (changes.everything || changes.keys.has(drawer.key))) drawer.draw(now);
}

function counters() {
  const counts = Object.fromEntries(COUNTED.map((state) => [state, 0]));
  for (const session of store.sessions.values()) counts[stateOf(session)] += 1;
  const list = $("counters");
  if (!list.children.length)
    for (const state of COUNTED) list.append(el("div", { class: state }, el("dt", {}, NAMES[state]), el("dd")));
  COUNTED.forEach((state, at) => {
    say(list.children[at].lastChild, String(counts[state]));
    set(list.children[at], "data-none", counts[state] === 0);
  });
}

function needs(now) {
  const since = (session) => Date.parse(session.evidence?.since || session.last_activity_at || session.last_data_received_at || 0);
  const waiting = [...store.sessions.values()].filter(needsYou).sort((one, two) => since(one) - since(two));
  const list = $("needs").querySelector("ol");
  $("needs").hidden = !waiting.length;
  say($("needs-count"), waiting.length > 1 ? String(waiting.length) : "");
  waiting.forEach((session, at) => {
    const item = list.children[at] || list.appendChild(call());
    set(item, "data-key", keyOf(session));
    const [age, name, what, where, because] = item.firstChild.children;
    say(age, since(session) ? span(seconds(since(session), now)) : "");
    say(name, title(session));
    say(what, stateWord(session));
    say(where, [project(session), session.branch, session.host, session.source].filter(Boolean).join(" · "));
    say(because, why(session, now));
  });
  while (list.children.length > waiting.length) list.lastChild.remove();
}

function call() {
  const button = el("button", { type: "button" }, ...spaced(["age", "title", "what", "where", "because"].map((name) => el("span", { class: name }))));
  const item = el("li", {}, button);
  button.addEventListener("click", () => drawer.open(item.dataset.key));
  return item;
}

// A machine as its worst source is; where all are well, as the one that runs.
const WORST = ["offline", "failed", "degraded", "paused", "healthy"];

function machine(host, sources) {
  const worst = [...sources].sort((one, two) => WORST.indexOf(one.status) - WORST.indexOf(two.status) || (two.pid !== null) - (one.pid !== null))[0];
  const well = worst.status === "healthy" || worst.status === "offline";
  return { ...worst, source: host, restarts: 0, reason: worst.reason && (well ? worst.reason : `${worst.source}: ${worst.reason}`) };
}

function health(now) {
  const list = $("health").firstElementChild;
  const machines = store.machines();
  const states = machines.size > 1 ? [...machines].map(([host, sources]) => machine(host, sources)) : [...store.health.values()].sort((one, two) => one.source.localeCompare(two.source));
  states.forEach((state, at) => {
    const item = list.children[at] || list.appendChild(el("li", {}, el("strong"), " ", el("span")));
    const absent = state.status === "healthy" && state.pid === null;
    const old = state.status === "offline" && state.updated_at ? ` ${span(seconds(Date.parse(state.updated_at), now))}` : "";
    const kind = state.status !== "healthy" ? state.status : absent ? "absent" : "up";
    set(item, "class", kind);
    say(item.firstChild, state.source);
    const again = state.restarts ? `, restarted ${state.restarts}×` : "";
    const reason = state.reason && kind !== "up" && kind !== "offline" ? `: ${state.reason}` : "";
    say(item.lastChild, `${kind === "absent" ? "no worker" : kind}${old}${reason}${again}`);
    set(item, "title", [state.reason, state.last_error, state.unknown_records ? `${state.unknown_records} unknown records` : ""].filter(Boolean).join("\n") || null);
  });
  while (list.children.length > states.length) list.lastChild.remove();
}

function connection(now) {
  const place = $("connection");
  const heard = store.board.heard_at ? Date.parse(store.board.heard_at) : store.heardAt;
  const old = heard ? span(seconds(heard, now)) : "never";
  const [kind, text] = store.live
    ? ["live", "live"]
    : store.line === "locked"
      ? ["gone", "the token is not right any more: open the link that bellboard serve printed"]
      : store.line === "connecting"
        ? ["waiting", "connecting"]
        : store.line === "open"
          ? ["gone", `the board is silent – this picture is ${old} old`]
          : ["gone", `reconnecting – this picture is ${old} old`];
  set(place, "class", kind);
  say(place.lastChild, text);
  set(document.body, "data-stale", kind === "gone");
}

function empty() {
  const place = $("empty");
  place.hidden = rows.shown.length > 0 || store.line === "connecting";
  $("board").hidden = !place.hidden;
  if (place.hidden) return;
  const hidden = [...store.sessions.values()].filter((session) => !ended(session)).length;
  say(place, hidden ? `${hidden} session${hidden > 1 ? "s" : ""} do not match the filter.` : store.sessions.size ? "Nothing is going on. Ended sessions: tick “ended”." : "No sessions yet. bellboard doctor says where was looked; bellboard demo shows simulated ones.");
}

function refilter() {
  const states = new Set([...$("states").querySelectorAll("input:checked")].map((box) => box.name));
  if ($("only-needs").checked) rows.filter($("words").value, new Set(["needs"]));
  else rows.filter($("words").value, states.add("needs"));
  empty();
}

$("filter").addEventListener("input", refilter);
$("filter").addEventListener("submit", (event) => event.preventDefault());
$("keys").addEventListener("click", () => $("help").showModal());
$("theme").addEventListener("click", theme);

function theme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem("theme", root.dataset.theme);
  } catch {
    // a browser that keeps nothing: then until the page is closed
  }
}

const toggle = (name) => {
  const box = $("states").querySelector(`[name=${name}]`);
  box.checked = !box.checked;
  refilter();
};

const KEYS = {
  j: () => rows.focus(1),
  k: () => rows.focus(-1),
  w: () => rows.nextWaiting(),
  n: () => toggle("needs"),
  1: () => toggle("working"),
  2: () => toggle("waiting"),
  3: () => toggle("idle"),
  4: () => toggle("ended"),
  t: theme,
  "?": () => $("help").showModal(),
  "/": () => $("words").focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape" && event.target === $("words")) {
    $("words").value = "";
    $("words").blur();
    refilter();
  } else if (event.target.matches("input[type=search]")) return;
  else if (KEYS[event.key]) {
    event.preventDefault();
    KEYS[event.key]();
  }
});

try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch {
  // see above
}

// What only time changes is drawn once a second, and not at all while nobody looks.
setInterval(() => {
  if (document.hidden) return;
  const now = Date.now();
  rows.tick(now);
  needs(now);
  health(now);
  connection(now);
}, 1000);
setInterval(() => document.hidden || store.refreshPulses().catch(() => {}), 60000);
setInterval(() => document.hidden || drawer.remember(), 5000);

store.open();
