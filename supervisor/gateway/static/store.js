// Store: the board's last word, and whether it is still its word. The counterpart is the gateway's event stream.
//
// The stream begins with the whole picture and goes on with whole states, so nothing is ever put together from pieces.
// What has changed is collected; whoever draws asks for it when it is time to draw.

const EVENTS = ["discovered", "updated", "terminal", "stale", "resumed", "removed"];

// On the board of a fleet a source is known with its machine; pulses name it so already.
export const originOf = (s) => (s.host ? `${s.source}@${s.host}` : s.source);

export const keyOf = (s) => `${originOf(s)}\u0000${s.id}`;

export class Store {
  constructor() {
    this.sessions = new Map();
    this.health = new Map();
    this.pulses = new Map();
    this.board = { connected: false, since: null, heard_at: null };
    this.line = "connecting";
    this.heardAt = 0;
    this.changed = new Set();
    this.everything = true;
    this.machinesChanged = false;
    this.onchange = () => {};
  }

  open() {
    const source = new EventSource("/api/v1/events");
    this.source = source;
    const hear = (kind, take) =>
      source.addEventListener(kind, (event) => {
        this.line = "open";
        this.heardAt = Date.now();
        take(JSON.parse(event.data));
        this.onchange();
      });
    hear("snapshot", (whole) => this.#whole(whole));
    hear("board", (board) => (this.board = board));
    hear("health", (event) => {
      this.health.set(originOf(event.health), event.health);
      this.machinesChanged ||= Boolean(event.host);
    });
    for (const kind of EVENTS) hear(kind, (event) => this.#event(event));
    source.onopen = () => {
      this.line = "open";
      this.onchange();
    };
    source.onerror = () => {
      this.line = source.readyState === EventSource.CLOSED ? "closed" : "lost";
      this.onchange();
      if (source.readyState === EventSource.CLOSED) this.#again();
    };
  }

  // Whether what is shown is what the board says now.
  get live() {
    return this.line === "open" && this.board.connected;
  }

  // The machines of a fleet by name, each with its sources; none on the board of one.
  machines() {
    const found = new Map();
    for (const state of this.health.values()) if (state.host) found.set(state.host, [...(found.get(state.host) || []), state]);
    return new Map([...found].sort(([one], [two]) => one.localeCompare(two)));
  }

  // When a machine was heard last that is not heard now.
  awaySince(host) {
    for (const state of host ? this.health.values() : []) if (state.host === host && state.status === "offline") return state.updated_at || "";
    return null;
  }

  takeChanges() {
    const found = { everything: this.everything, keys: this.changed, machines: this.machinesChanged };
    this.machinesChanged = false;
    this.everything = false;
    this.changed = new Set();
    return found;
  }

  async refreshPulses() {
    const answer = await fetch("/api/v1/pulses");
    if (!answer.ok) return;
    this.pulses = new Map((await answer.json()).pulses.map((pulse) => [keyOf(pulse), { minute: minuteNow(), counts: pulse.counts }]));
    for (const key of this.pulses.keys()) this.changed.add(key);
    this.onchange();
  }

  // Messages and tool calls of the last `minutes`, the present one last.
  busy(key, minutes) {
    const pulse = this.pulses.get(key);
    if (!pulse) return null;
    const gone = minuteNow() - pulse.minute;
    const counts = [...pulse.counts, ...new Array(Math.min(gone, 60)).fill(0)];
    return counts.slice(-minutes);
  }

  // The stream was refused, or the gateway is gone: an EventSource does not come back from that by itself.
  async #again() {
    await new Promise((done) => setTimeout(done, 2000));
    try {
      const answer = await fetch("/api/v1/health");
      if (answer.status === 401) {
        this.line = "locked";
        this.onchange();
        return;
      }
    } catch {
      // not there yet
    }
    this.open();
  }

  #whole(whole) {
    this.sessions = new Map(whole.sessions.map((s) => [keyOf(s), s]));
    this.health = new Map(whole.health.map((h) => [originOf(h), h]));
    this.everything = true;
    this.refreshPulses().catch(() => {});
  }

  #event(event) {
    const key = keyOf(event.session);
    const before = this.sessions.get(key);
    if (event.kind === "removed") this.sessions.delete(key);
    else this.sessions.set(key, event.session);
    if (before) this.#count(key, before, event.session);
    this.changed.add(key);
  }

  #count(key, before, after) {
    const done = after.message_count + after.tool_call_count - before.message_count - before.tool_call_count;
    if (done <= 0) return;
    const pulse = this.pulses.get(key) || { minute: minuteNow(), counts: new Array(60).fill(0) };
    const gone = Math.min(minuteNow() - pulse.minute, 60);
    pulse.counts = [...pulse.counts, ...new Array(gone).fill(0)].slice(-60);
    pulse.minute = minuteNow();
    pulse.counts[59] += done;
    this.pulses.set(key, pulse);
  }
}

const minuteNow = () => Math.floor(Date.now() / 60000);
