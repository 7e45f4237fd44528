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

// Ribbons of an hour: what it did as bands, tool calls as ticks, compactions as diamonds.
export const timeline = (marks, now) => {
  const width = 600;
  const x = (time) => width - ((now - Date.parse(time)) / 3600000) * width;
  const picture = svg("svg", { class: "timeline", viewBox: `0 0 ${width} 54`, role: "img", "aria-label": "The last 60 minutes" });
  marks.forEach((mark, at) => {
    const from = Math.max(0, x(mark.at));
    const to = at + 1 < marks.length ? x(marks[at + 1].at) : width;
    const needs = mark.activity === "waiting" && mark.waiting_for && mark.waiting_for !== "prompt";
    const state = needs ? "needs" : mark.activity === "terminal" ? "ended" : mark.activity;
    if (to > from) picture.append(svg("rect", { class: state, x: from.toFixed(1), y: 12, width: Math.max(1, to - from).toFixed(1), height: 16 }));
    const before = marks[at - 1];
    if (before && mark.calls > before.calls) picture.append(svg("rect", { class: "tick", x: from.toFixed(1), y: 31, width: 1.5, height: Math.min(12, 3 + mark.calls - before.calls) }));
    if (before && mark.compactions > before.compactions) picture.append(svg("path", { class: "compaction", d: `M${from.toFixed(1)} 1l5 5-5 5-5-5z` }));
  });
  for (let minute = 0; minute <= 60; minute += 15) {
    const at = width - (minute / 60) * width;
    const anchor = minute === 0 ? "end" : minute === 60 ? "start" : "middle";
    picture.append(svg("text", { x: at, y: 53, "text-anchor": anchor }, minute ? `${minute} min ago` : "now"));
  }
  return picture;
};
