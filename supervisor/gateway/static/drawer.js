// Drawer: everything about one session, and why we say so.

import { age, contextText, project, short, stateOf, stateWord, title, why } from "./format.js";
import { el, say, timeline } from "./draw.js";
import { originOf } from "./store.js";

const FACTS = [
  ["machine", (s) => s.host],
  ["folder", (s) => s.working_dir],
  ["branch", (s) => s.branch],
  ["model", (s) => s.model],
  ["client", (s) => (s.client_version ? `${s.source} ${s.client_version}` : s.source)],
  ["messages", (s) => String(s.message_count)],
  ["tool calls", (s) => String(s.tool_call_count)],
  ["compactions", (s) => (s.compaction_count ? String(s.compaction_count) : null)],
  ["context", (s) => contextText(s) || null],
  ["started", (s, now) => s.started_at && `${age(s.started_at, now)} ago`],
  ["last activity", (s, now) => s.last_activity_at && `${age(s.last_activity_at, now)} ago`],
  ["ended", (s, now) => s.completed_at && `${age(s.completed_at, now)} ago${s.end_reason ? `: ${s.end_reason}` : ""}`],
  ["parent", (s) => s.parent_id],
  ["id", (s) => s.id],
];

const TOKENS = [
  ["input", "input_tokens"],
  ["cache read", "cache_read_tokens"],
  ["cache write", "cache_creation_tokens"],
  ["output", "output_tokens"],
];

export class Drawer {
  constructor(dialog, store) {
    this.dialog = dialog;
    this.store = store;
    this.key = null;
    dialog.addEventListener("close", () => (this.key = null));
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  open(key) {
    if (!this.store.sessions.has(key)) return;
    this.key = key;
    this.marks = null;
    this.dialog.scrollTop = 0;
    this.draw(Date.now());
    if (!this.dialog.open) this.dialog.showModal();
    this.remember();
  }

  // Ask for the last hour again; what is shown meanwhile stays.
  async remember() {
    const key = this.key;
    const session = key && this.store.sessions.get(key);
    if (!session) return;
    try {
      const path = [originOf(session), session.id].map(encodeURIComponent).join("/");
      const answer = await fetch(`/api/v1/sessions/${path}/history`);
      if (!answer.ok || key !== this.key) return;
      this.marks = (await answer.json()).history.marks;
      this.draw(Date.now());
    } catch {
      // the board is not heard: the header says so
    }
  }

  draw(now) {
    const session = this.key && this.store.sessions.get(this.key);
    if (!session || this.#beingCopied()) return;
    const scrolled = this.dialog.scrollTop;
    const focused = this.dialog.contains(document.activeElement);
    const close = el("button", { type: "button", class: "close", "aria-label": "Close" }, "×");
    close.addEventListener("click", () => this.dialog.close());
    this.dialog.replaceChildren(
      el("header", {}, el("h2", { id: "drawer-title" }, title(session)), close),
      el("p", { class: `verdict ${stateOf(session)}` }, el("strong", {}, stateWord(session)), el("span", {}, ` in ${project(session)} – ${why(session, now)}`)),
      this.#hour(now),
      this.#facts(session, now),
      this.#tokens(session),
      this.#agents(session),
    );
    this.dialog.scrollTop = scrolled;
    if (focused) close.focus();
  }

  // Text that is being selected stays as it is.
  #beingCopied() {
    const selection = getSelection();
    return !selection.isCollapsed && this.dialog.contains(selection.anchorNode);
  }

  #hour(now) {
    const made = el("section", { "aria-label": "The last hour" }, el("h3", {}, "The last hour"));
    if (!this.marks) made.append(el("p", { class: "quiet-text" }, "asking the board…"));
    else made.append(...timeline(this.marks, now));
    return made;
  }

  #facts(session, now) {
    const list = el("dl", { class: "facts" });
    for (const [name, value] of FACTS) {
      const text = value(session, now);
      if (text) list.append(el("dt", {}, name), el("dd", {}, text));
    }
    return el("section", { "aria-label": "Facts" }, list);
  }

  #tokens(session) {
    const known = TOKENS.map(([name, field]) => [name, session[field]]).filter(([, count]) => count !== null);
    if (!known.length) return "";
    const sum = known.reduce((all, [, count]) => all + count, 0) || 1;
    const split = el("span", { class: "split", role: "img", "aria-label": "Tokens by kind" });
    const list = el("dl", { class: "facts" });
    known.forEach(([name, count], at) => {
      const part = el("span", { class: `part${at}` });
      part.style.width = `${(100 * count) / sum}%`;
      split.append(part);
      list.append(el("dt", {}, el("i", { class: `part${at}`, "aria-hidden": "true" }), name), el("dd", {}, short(count)));
    });
    return el("section", { "aria-label": "Tokens" }, el("h3", {}, session.token_estimated ? "Tokens (estimated)" : "Tokens"), split, list);
  }

  #agents(session) {
    if (!session.subagents.length) return "";
    const list = el("ul", { class: "subagents" });
    for (const agent of session.subagents) {
      const item = el("li", { class: agent.activity === "terminal" ? "ended" : agent.activity }, el("strong", {}, agent.kind || agent.slug || "subagent"), el("span"));
      say(item.lastChild, ` ${agent.activity}${agent.current_tool ? `, ${agent.current_tool}` : ""} – ${agent.message_count} messages, ${agent.tool_call_count} tool calls`);
      list.append(item);
    }
    return el("section", { "aria-label": "Subagents" }, el("h3", {}, "Subagents"), list);
  }
}
