// Draw: small pictures, and elements that are touched only when what they say has changed.

const SVG = "http://www.w3.org/2000/svg";

export const el = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(made, name, value);
  made.append(...children);
  return made;
};

export const svg = (tag, attributes = {}, ...children) => {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};

export const set = (element, name, value) => {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : value);
};

// Words that stand side by side are apart for whoever hears them, too.
export const spaced = (children) => children.flatMap((child, at) => (at ? [" ", child] : [child]));

// Text always goes in as text: titles, tools and branches hold whatever people and models wrote.
export const say = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

export const bar = () => el("span", { class: "bar", role: "img" }, el("span", { class: "fill" }));

export const fillBar = (element, share, guess, label) => {
  set(element, "data-guess", guess);
  set(element, "data-full", share > 0.8);
  set(element, "aria-label", label);
  set(element, "title", label);
  const width = `${Math.min(100, Math.round(share * 100))}%`;
  if (element.firstChild.style.width !== width) element.firstChild.style.width = width;
};

export const spark = () => svg("svg", { class: "spark", viewBox: "0 0 60 16", role: "img", preserveAspectRatio: "none" }, svg("path"));

export const fillSpark = (element, counts) => {
  const most = Math.max(4, ...(counts || []));
  const path = (counts || [])
    .map((count, at) => (count ? `M${at * 4 + 0.5} 16v${-Math.max(1.5, (count / most) * 15).toFixed(1)}h3V16z` : ""))
    .join("");
  set(element.firstChild, "d", path || "M0 15.5h60v.5H0z");
  const sum = (counts || []).reduce((one, two) => one + two, 0);
  set(element, "aria-label", sum ? `${sum} messages and tool calls in 15 minutes` : "nothing in 15 minutes");
};

const HOUR = 3600000;
const WIDTH = 600;

// One name for each band: what it is called, what its colour is called.
const BANDS = { needs: "needed you", working: "working", waiting: "at the prompt", idle: "idle", ended: "ended" };

const bandOf = (mark) =>
  mark.activity === "terminal" ? "ended" : mark.activity === "waiting" && mark.waiting_for && mark.waiting_for !== "prompt" ? "needs" : mark.activity;

const bandsOf = (marks, now) => {
  const bands = [];
  for (const mark of marks) {
    const from = Math.max(now - HOUR, Date.parse(mark.at));
    const last = bands.at(-1);
    if (last) last.to = Math.max(last.from, from);
    if (!last || last.kind !== bandOf(mark)) bands.push({ kind: bandOf(mark), from, to: now });
    else last.to = now;
  }
  return bands;
};

// Ribbons of an hour: what it did as bands, tool calls as ticks, compactions as diamonds; and in words what that is.
export const timeline = (marks, now) => {
  const x = (time) => WIDTH - ((now - time) / HOUR) * WIDTH;
  const picture = svg("svg", { class: "timeline", viewBox: `0 0 ${WIDTH} 46`, preserveAspectRatio: "none", role: "img" });
  const sums = {};
  let [calls, compactions] = [0, 0];
  for (const { kind, from, to } of bandsOf(marks, now)) {
    sums[kind] = (sums[kind] || 0) + to - from;
    picture.append(svg("rect", { class: kind, x: x(from).toFixed(1), y: 13, width: Math.max(1, x(to) - x(from)).toFixed(1), height: 18 }));
  }
  marks.forEach((mark, at) => {
    const before = marks[at - 1];
    const place = x(Date.parse(mark.at));
    if (!before || place < 0) return;
    const more = mark.calls - before.calls;
    if (more > 0) picture.append(svg("rect", { class: "tick", x: place.toFixed(1), y: 33, width: 1.5, height: Math.min(13, 2 + 2 * more) }));
    if (mark.compactions > before.compactions) picture.append(svg("path", { class: "compaction", d: `M${place.toFixed(1)} 0l5 5.5-5 5.5-5-5.5z` }));
    calls += Math.max(0, more);
    compactions += Math.max(0, mark.compactions - before.compactions);
  });
  const spent = Object.entries(sums).map(([kind, sum]) => [kind, `${BANDS[kind]} ${Math.round(sum / 60000)} min`]);
  const counted = [["tick", `${calls} tool call${calls === 1 ? "" : "s"}`], ["compaction", `${compactions} compaction${compactions === 1 ? "" : "s"}`]];
  const words = [...spent, ...counted.filter(([, text]) => !text.startsWith("0 "))];
  picture.setAttribute("aria-label", `The last 60 minutes: ${words.map(([, text]) => text).join(", ") || "nothing"}`);
  const axis = el("p", { class: "axis", "aria-hidden": "true" }, ...["60 min", "45", "30", "15", "now"].map((text) => el("span", {}, text)));
  const legend = el("ul", { class: "legend", "aria-hidden": "true" }, ...words.map(([kind, text]) => el("li", { class: kind }, text)));
  return [picture, axis, legend];
};
