"use strict";

const maxPolicies = 4;
const examples = [
  "name=none max_attempts=6 backoff=exponential(1s,2) jitter=none",
  "name=full max_attempts=6 backoff=exponential(1s,2)",
  "name=decorrelated max_attempts=6 backoff=decorrelated(1s,3)",
  "",
];
const policies = document.getElementById("policies");
const form = document.getElementById("scenario");
const cards = [...document.querySelectorAll(".card")];
const dark = matchMedia("(prefers-color-scheme: dark)");

// element creates an element with properties and children. Keys with a dash, and role, scope and for,
// become attributes.
function element(tag, properties = {}, ...children) {
  const e = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "role" || key === "scope" || key === "for") e.setAttribute(key, value);
    else e[key] = value;
  }
  e.append(...children);
  return e;
}

// ---- policies

function texts() {
  return [...policies.querySelectorAll("input")].map((input) => input.value);
}

function addPolicy(text) {
  const input = element("input", {
    type: "text", value: text, maxLength: 1000, spellcheck: false, autocomplete: "off",
    placeholder: "the library's default policy", "aria-describedby": "policy-help",
  });
  input.autocapitalize = "off";
  const label = element("label");
  const remove = element("button", { type: "button", textContent: "Remove" });
  const fault = element("div", { className: "fault", role: "alert" });
  policies.append(element("div", { className: "policy" }, label, input, remove, fault));
  input.addEventListener("input", changed);
  remove.addEventListener("click", () => {
    remove.parentElement.remove();
    renumber();
    changed();
    (policies.querySelector("input") || document.getElementById("add")).focus();
  });
  renumber();
}

// renumber numbers the policies after one was added or removed.
function renumber() {
  const rows = [...policies.children];
  rows.forEach((row, i) => {
    const [label, input, remove, fault] = row.children;
    label.textContent = String(i + 1);
    input.id = "policy-" + (i + 1);
    label.htmlFor = input.id;
    input.setAttribute("aria-label", "policy " + (i + 1));
    fault.id = "fault-" + (i + 1);
    remove.setAttribute("aria-label", "remove policy " + (i + 1));
    remove.disabled = rows.length === 1;
  });
  document.getElementById("add").disabled = rows.length >= maxPolicies;
}

// showFaults shows each error below its policy, with a caret under its position.
function showFaults(faults) {
  [...policies.children].forEach((row, i) => {
    const input = row.querySelector("input");
    const box = row.querySelector(".fault");
    const own = faults.filter((f) => f.policy === i + 1);
    const shown = own.map((f) => f.problem).join("\n");
    input.setAttribute("aria-invalid", own.length > 0);
    input.setAttribute("aria-describedby", own.length ? box.id : "policy-help");
    if (box.dataset.shown === shown && box.dataset.text === input.value) return;
    box.dataset.shown = shown;
    box.dataset.text = input.value;
    box.replaceChildren(...own.flatMap(faultLines));
  });
}

function faultLines(fault) {
  const lines = [element("div", { textContent: fault.problem })];
  if (fault.position > 0) {
    const caret = element("mark", { textContent: " ".repeat(fault.position - 1) + "^" });
    lines.push(element("pre", { "aria-hidden": "true" }, fault.text + "\n", caret));
  }
  return lines;
}

// ---- scenario

const sliders = [...form.querySelectorAll("input[type=range]")];
const switches = [...form.querySelectorAll("input[type=checkbox]")];

function values(slider) {
  return slider.dataset.values.split(",");
}

function showValue(slider) {
  const value = values(slider)[slider.value];
  slider.parentElement.querySelector("output").textContent = value.replace(/\B(?=(\d{3})+$)/g, ",");
  slider.setAttribute("aria-valuetext", value);
}

// setSlider moves a slider to a value. It adds a value that only a link can have.
function setSlider(slider, value) {
  if (!values(slider).includes(value)) slider.dataset.values += "," + value;
  slider.min = 0;
  slider.max = values(slider).length - 1;
  slider.value = values(slider).indexOf(value);
  showValue(slider);
}

// scenario returns the policies and the scenario as the query of a link.
function scenario() {
  const q = new URLSearchParams();
  for (const text of texts()) q.append("p", text);
  for (const slider of sliders) q.set(slider.name, values(slider)[slider.value]);
  for (const box of switches) if (box.checked) q.set(box.name, "true");
  return q;
}

// load sets the policies and the scenario to those of a link.
function load(q) {
  const given = q.has("p") ? q.getAll("p").slice(0, maxPolicies) : examples.slice(0, 3);
  given.forEach(addPolicy);
  for (const slider of sliders) setSlider(slider, q.get(slider.name) || slider.dataset.value);
  for (const box of switches) box.checked = q.get(box.name) === "true";
}

// ---- results

const requests = new Map(); // the latest request of each card

async function ask(path, q, signal) {
  const response = await fetch(path + "?" + q, { signal });
  return response.json();
}

// query returns the request of a card.
function query(card) {
  const q = scenario();
  q.set("model", card.dataset.model);
  q.set("width", Math.round(card.clientWidth - 24));
  q.set("theme", dark.matches ? "dark" : "light");
  const rivals = Number(q.get("rivals"));
  if (card.dataset.model === "occ") {
    q.set("clients", [...new Set([10, 20, 50, rivals].filter((n) => n <= rivals))].join(","));
    q.set("trials", "20");
  }
  return q;
}

async function update(card) {
  requests.get(card)?.abort();
  const request = new AbortController();
  requests.set(card, request);
  card.setAttribute("aria-busy", "true");
  try {
    const answer = await ask("api/run", query(card), request.signal);
    if (answer.svg) showAnswer(card, answer);
    else if (answer.error) showError(card, answer.error);
  } catch (error) {
    if (request.signal.aborted) return; // a later request has replaced this one
    showError(card, "The program does not answer. Is it still running?");
  }
  card.setAttribute("aria-busy", "false");
}

function clear(card) {
  const image = card.querySelector("img");
  if (image) URL.revokeObjectURL(image.src);
  while (card.children.length > 1) card.lastChild.remove();
}

function showError(card, text) {
  clear(card);
  card.append(element("p", { className: "problem", role: "alert", textContent: text }));
}

function showAnswer(card, answer) {
  clear(card);
  const source = URL.createObjectURL(new Blob([answer.svg], { type: "image/svg+xml" }));
  const image = element("img", { src: source, alt: answer.title + ". The table below shows the numbers." });
  const head = element("tr", {}, ...answer.columns.map((c) => element("th", { scope: "col", textContent: c })));
  const body = (answer.rows || []).map((row) => element("tr", {}, ...row.map((cell) => element("td", { textContent: cell }))));
  const table = element("table", {}, element("caption", { textContent: answer.title }),
    element("thead", {}, head), element("tbody", {}, ...body));
  const wide = element("div", { className: "wide", role: "region", "aria-label": answer.title, tabIndex: 0 }, table);
  card.append(image, wide, ...(answer.notes || []).map((n) => element("p", { className: "note", textContent: n })));
}

// refresh checks the policies. If they are valid, it updates all cards.
let checking;
async function refresh() {
  checking?.abort();
  const request = (checking = new AbortController());
  history.replaceState(null, "", "?" + scenario());
  let answer;
  try {
    answer = await ask("api/check", scenario(), request.signal);
  } catch (error) {
    if (!request.signal.aborted) cards.forEach((card) => showError(card, "The program does not answer. Is it still running?"));
    return;
  }
  showFaults(answer.faults || []);
  if (answer.error) cards.forEach((card) => showError(card, answer.error));
  else if (!answer.faults) cards.forEach(update);
}

// changed refreshes the page when the user pauses.
let timer;
function changed() {
  clearTimeout(timer);
  timer = setTimeout(refresh, 200);
}

// ---- events

for (const slider of sliders) {
  slider.addEventListener("input", () => {
    showValue(slider);
    changed();
  });
}
switches.forEach((box) => box.addEventListener("change", changed));
form.addEventListener("submit", (event) => event.preventDefault());
dark.addEventListener("change", changed);

document.getElementById("add").addEventListener("click", () => {
  addPolicy(examples.find((text) => !texts().includes(text)) ?? "");
  policies.lastElementChild.querySelector("input").focus();
  changed();
});

document.getElementById("link").addEventListener("click", async () => {
  const linked = document.getElementById("linked");
  try {
    await navigator.clipboard.writeText(location.href);
    linked.textContent = "Copied. The page's address is the link.";
  } catch {
    linked.textContent = "Could not copy. The page's address is the link.";
  }
});

let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  changed();
});

load(new URLSearchParams(location.search));
refresh();
