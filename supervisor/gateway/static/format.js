// Format: values to short text. Nothing here touches the page.

export const NEEDS = new Set(["permission", "question", "plan"]);

export const needsYou = (s) => s.lifecycle === "active" && s.activity === "waiting" && NEEDS.has(s.waiting_for);

export const ended = (s) => s.lifecycle === "terminal" || s.activity === "terminal";

// One word for the state; it is also the name of its colour and its glyph.
export const stateOf = (s) => (ended(s) ? "ended" : needsYou(s) ? "needs" : s.activity);

export const GLYPH = { needs: "!", working: "▶", waiting: "›", idle: "·", ended: "■" };

const WANTED = { permission: "needs permission", question: "needs an answer", plan: "needs approval" };

export const stateWord = (s) => {
  const state = stateOf(s);
  if (state === "needs") return WANTED[s.waiting_for];
  return state === "waiting" && s.waiting_for === "prompt" ? "at the prompt" : state;
};

export const RANK = { needs: 0, working: 1, waiting: 2, idle: 3, ended: 4 };

export const short = (count) => {
  if (count === null || count === undefined) return "–";
  if (count >= 1e6) return `${(count / 1e6).toFixed(count < 1e7 ? 1 : 0)}M`;
  if (count >= 1e3) return `${(count / 1e3).toFixed(count < 1e4 ? 1 : 0)}k`;
  return String(count);
};

export const seconds = (from, now) => Math.max(0, (now - from) / 1000);

export const span = (secs) => {
  const s = Math.floor(secs);
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m`;
  if (s < 86400) return `${Math.floor(s / 3600)}h ${Math.floor((s % 3600) / 60)}m`;
  return `${Math.floor(s / 86400)}d`;
};

export const clock = (secs) => {
  const s = Math.floor(secs);
  const rest = String(s % 60).padStart(2, "0");
  return s < 3600 ? `${Math.floor(s / 60)}:${rest}` : `${Math.floor(s / 3600)}:${String(Math.floor((s % 3600) / 60)).padStart(2, "0")}:${rest}`;
};

export const age = (time, now) => (time ? span(seconds(Date.parse(time), now)) : "–");

export const project = (s) => (s.working_dir || "").replace(/[\\/]+$/, "").split(/[\\/]/).pop() || "elsewhere";

export const title = (s) => s.title || s.slug || s.id;

const KNOWN = {
  hook: "its hook told us",
  registry: "the client's live registry says so",
  lock: "the client's own lock says so",
  process: "its process says so",
  record: "its last record says so",
  tool: "a tool call has no result yet",
  age: "from the time of its last record",
  none: "nothing says more",
};

export const why = (s, now) => {
  if (!s.evidence) return "the agent's files say no more";
  const since = s.evidence.since ? `since ${age(s.evidence.since, now)}, ` : "";
  const detail = s.evidence.detail ? ` (${s.evidence.detail})` : "";
  return `${since}${KNOWN[s.evidence.kind] || s.evidence.kind}${detail}`;
};

export const contextText = (s) => {
  if (s.context_tokens === null) return "";
  if (s.context_utilization === null) return `${short(s.context_tokens)} tokens, window unknown`;
  const guess = s.max_context_from === "reported" ? "" : ` (the window's size is ${s.max_context_from === "observed" ? "observed" : "from a table"})`;
  return `${Math.round(s.context_utilization * 100)} % of ${short(s.max_context_tokens)}${guess}`;
};

// A session says enough of itself to be found by any of these words.
export const haystack = (s) =>
  [s.source, s.host, s.id, s.title, s.slug, s.model, s.branch, s.current_tool, s.working_dir, s.activity, s.waiting_for]
    .filter(Boolean)
    .join(" ")
    .toLowerCase();
