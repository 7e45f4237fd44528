// Rows: the sessions by project. A row is made once and touched only where it has changed; rows move only when the order does.

import { GLYPH, RANK, age, clock, contextText, ended, haystack, needsYou, project, seconds, short, stateOf, stateWord, title } from "./format.js";
import { bar, el, fillBar, fillSpark, say, set, spaced, spark } from "./draw.js";

export class Rows {
  constructor(table, store, open) {
    this.table = table;
    this.store = store;
    this.open = open;
    this.rows = new Map();
    this.groups = new Map();
    this.wanted = { words: [], states: new Set(["needs", "working", "waiting", "idle"]) };
    this.shown = [];
    this.seen = new Set();
    this.keys = new WeakMap();
    this.watcher = new IntersectionObserver((entries) => this.#watch(entries), { rootMargin: "300px" });
  }

  filter(words, states) {
    this.wanted = { words: words.toLowerCase().split(/\s+/).filter(Boolean), states };
    this.order();
  }

  fits(session) {
    return this.wanted.states.has(stateOf(session)) && this.wanted.words.every((word) => haystack(session).includes(word));
  }

  // Only what has changed since the last time. Returns whether the order may have changed.
  update(changes, now) {
    const { sessions } = this.store;
    if (changes.everything) {
      for (const key of [...this.rows.keys()]) if (!sessions.has(key)) this.#drop(key);
      for (const [key, session] of sessions) this.#fill(key, session, now);
      return true;
    }
    let moved = false;
    for (const key of changes.keys) {
      const session = sessions.get(key);
      const row = this.rows.get(key);
      if (!session) {
        if (row) this.#drop(key);
        moved = true;
        continue;
      }
      const place = row && row.place;
      if (row && !this.seen.has(key)) {
        // Nobody sees it: it is filled when somebody does.
        row.place = this.#place(session);
        row.late = true;
      } else this.#fill(key, session, now);
      moved = moved || this.rows.get(key).place !== place;
    }
    return moved;
  }

  // Put rows where they belong: projects with somebody who waits first, then those at work; of a fleet, machine by machine.
  order() {
    const groups = new Map();
    const hosts = new Map();
    for (const [key, session] of this.store.sessions) {
      if (!this.fits(session)) continue;
      const name = `${session.host || ""}\u0000${project(session)}`;
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push([key, session]);
      const host = hosts.get(session.host) || { count: 0, rank: 2 };
      hosts.set(session.host, { count: host.count + 1, rank: Math.min(host.rank, Math.min(2, RANK[stateOf(session)])) });
    }
    for (const host of hosts.keys()) if (host) groups.set(`${host}\u0000`, []);
    const sorted = [...groups].map(([name, members]) => {
      const [host, title] = name.split("\u0000");
      const site = hosts.get(host || undefined);
      if (!members.length) return { name, host, title: "", members, rank: -1, site };
      members.sort((one, two) => RANK[stateOf(one[1])] - RANK[stateOf(two[1])] || (two[1].started_at || "").localeCompare(one[1].started_at || "") || one[0].localeCompare(two[0]));
      return { name, host, title, members, rank: Math.min(2, RANK[stateOf(members[0][1])]), site };
    });
    sorted.sort((one, two) => one.site.rank - two.site.rank || one.host.localeCompare(two.host) || one.rank - two.rank || one.title.localeCompare(two.title));
    this.shown = [];
    for (const [name, group] of this.groups) if (!groups.has(name)) {
      group.body.remove();
      this.groups.delete(name);
    }
    let after = this.table.tHead;
    for (const { name, host, title, members, site } of sorted) {
      const group = this.#group(name, title || host, title === "");
      const count = title === "" ? site.count : members.length;
      group.text = count === 1 ? "1 session" : `${count} sessions`;
      group.host = host;
      this.#old(group, Date.now());
      if (after.nextElementSibling !== group.body) after.after(group.body);
      after = group.body;
      let above = group.head;
      for (const [key] of members) {
        const row = this.rows.get(key).row;
        if (above.nextElementSibling !== row) above.after(row);
        above = row;
        this.shown.push(key);
      }
      while (above.nextElementSibling) above.nextElementSibling.remove();
    }
    return this.shown.length;
  }

  // What changes with time alone: ages, and how long tools have run.
  tick(now) {
    for (const group of this.groups.values()) this.#old(group, now);
    for (const key of this.seen) {
      const session = this.store.sessions.get(key);
      if (session && !ended(session)) this.#times(this.rows.get(key), session, now);
    }
  }

  focus(step) {
    const at = this.shown.findIndex((key) => this.rows.get(key).button === document.activeElement);
    const next = this.shown[Math.max(0, Math.min(this.shown.length - 1, at < 0 ? 0 : at + step))];
    if (next) this.goTo(next);
  }

  nextWaiting() {
    const waiting = this.shown.filter((key) => needsYou(this.store.sessions.get(key)));
    const at = waiting.findIndex((key) => this.rows.get(key).button === document.activeElement);
    if (waiting.length) this.goTo(waiting[(at + 1) % waiting.length]);
    return waiting.length;
  }

  goTo(key) {
    const row = this.rows.get(key);
    if (!row || !row.row.isConnected) return;
    row.button.focus();
    row.row.scrollIntoView({ block: "nearest" });
  }

  // A machine that is not heard: what it said last stays, and since when is said.
  #old(group, now) {
    const since = group.host ? this.store.awaySince(group.host) : null;
    const old = since === null ? "" : ` · offline${since ? ` for ${age(since, now)}` : ""}`;
    say(group.count, group.site ? `${group.text}${old}` : group.text);
    set(group.body, "data-away", since !== null);
  }

  #group(name, title, site) {
    if (!this.groups.has(name)) {
      const count = el("span", { class: "count" });
      const head = el("tr", { class: site ? "project machine" : "project", role: "row" }, el("th", { colspan: 7, scope: "rowgroup", role: "rowheader" }, el("span", { class: "name" }, title), " ", count));
      const body = el("tbody", { role: "rowgroup" }, head);
      this.groups.set(name, { body, head, count, site });
    }
    return this.groups.get(name);
  }

  // Rows that come into view are filled with what was not drawn meanwhile.
  #watch(entries) {
    for (const { target, isIntersecting } of entries) {
      const key = this.keys.get(target);
      if (!isIntersecting) this.seen.delete(key);
      else if (this.rows.has(key)) {
        this.seen.add(key);
        const session = this.store.sessions.get(key);
        if (session && this.rows.get(key).late) this.#fill(key, session, Date.now());
        else if (session) this.#times(this.rows.get(key), session, Date.now());
      }
    }
  }

  #place(session) {
    return `${stateOf(session)} ${project(session)} ${this.fits(session)}`;
  }

  #drop(key) {
    this.watcher.unobserve(this.rows.get(key).row);
    this.seen.delete(key);
    this.rows.get(key).row.remove();
    this.rows.delete(key);
  }

  #make(key) {
    const cell = (name, ...children) => el("td", { class: name, role: "cell" }, ...spaced(children));
    const made = {
      glyph: el("span", { class: "glyph", "aria-hidden": "true" }),
      word: el("span"),
      button: el("button", { type: "button", class: "title" }),
      branch: el("span", { class: "branch" }),
      agent: el("span"),
      model: el("span", { class: "model" }),
      bar: bar(),
      used: el("span", { class: "used" }),
      spark: spark(),
      tool: el("span", { class: "name" }),
      elapsed: el("span", { class: "elapsed" }),
      agents: el("span", { class: "agents" }),
      age: el("span"),
    };
    made.context = cell("context", made.bar, made.used);
    made.row = el(
      "tr",
      { role: "row" },
      cell("state", made.glyph, made.word),
      cell("what", el("span", { class: "line" }, ...spaced([made.button, made.branch]))),
      cell("agent", made.agent, made.model),
      made.context,
      cell("busy", made.spark),
      cell("tool", el("span", { class: "line" }, ...spaced([made.tool, made.elapsed, made.agents]))),
      cell("age", made.age),
    );
    made.button.addEventListener("click", () => this.open(key));
    made.row.addEventListener("click", (event) => event.target.closest("button") || this.open(key));
    this.rows.set(key, made);
    this.keys.set(made.row, key);
    this.watcher.observe(made.row);
    return made;
  }

  #fill(key, session, now) {
    const row = this.rows.get(key) || this.#make(key);
    const state = stateOf(session);
    row.place = this.#place(session);
    row.late = false;
    set(row.row, "class", state);
    say(row.glyph, GLYPH[state]);
    say(row.word, stateWord(session));
    say(row.button, title(session));
    set(row.button, "title", title(session));
    say(row.branch, session.branch || "");
    say(row.agent, session.source);
    say(row.model, session.model || "");
    const known = session.context_tokens !== null && session.context_utilization !== null;
    set(row.bar, "hidden", !known);
    if (known) fillBar(row.bar, session.context_utilization, session.max_context_from !== "reported", contextText(session));
    say(row.used, session.context_tokens === null ? "" : `${short(session.context_tokens)}${known ? ` · ${Math.round(session.context_utilization * 100)} %` : ""}`);
    fillSpark(row.spark, this.store.busy(key, 15));
    say(row.tool, session.current_tool || "");
    const running = session.subagents.filter((agent) => agent.activity === "working").length;
    say(row.agents, running ? `${running} agent${running > 1 ? "s" : ""}` : "");
    this.#times(row, session, now);
  }

  #times(row, session, now) {
    const tool = session.current_tool && session.current_tool_started_at;
    say(row.elapsed, tool ? clock(seconds(Date.parse(session.current_tool_started_at), now)) : "");
    say(row.age, age(session.last_activity_at || session.last_data_received_at, now));
  }
}
