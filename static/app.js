// What plain links and forms cannot do by themselves. Every page works without this file.
import "./dialog.js";
import { toast } from "./toasts.js";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const texts = document.getElementById("toasts").dataset;

// Every unsafe request carries the token; the button that sent a form counts (name, formaction), inside or outside of it.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  detail.headers["X-CSRFToken"] = document.querySelector('meta[name="csrf-token"]').content;
  const sender = detail.triggeringEvent?.submitter;
  if (sender?.name && !(sender.name in detail.parameters)) detail.parameters[sender.name] = sender.value;
  if (sender?.hasAttribute("formaction")) detail.path = sender.getAttribute("formaction");
});

// A form that is refused comes back with its errors and is swapped in. Any other error is one sentence: in the dialog when it
// was to be opened, else as a toast, so that nothing already on screen is lost. data-quiet (polling) says nothing.
function complain(elt, text) { if (!elt.closest("[data-quiet]")) toast({ level: "bad", text }); }
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const { xhr, target, requestConfig } = detail;
  if (xhr.status < 400) return;
  const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
  const sentence = page.querySelector("[data-error-text]")?.textContent;
  const form = !sentence && (xhr.status === 422 || xhr.status === 409);
  if (form || sentence && target.id === "dialog-body" && requestConfig.verb === "get") return;
  detail.shouldSwap = false;
  complain(requestConfig.elt, sentence ?? texts.failed);
});
for (const name of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(name, ({ detail }) => complain(detail.elt, texts.offline));

// data-once: a form is not sent twice.
let sender = null;
const senders = (form) => [...form.elements].filter((e) => e.type === "submit");
function release(form) {
  if (form?.getAttribute("aria-busy") !== "true") return;
  form.removeAttribute("aria-busy");
  for (const button of senders(form)) button.disabled = false;
  if (document.activeElement === document.body && sender?.isConnected) sender.focus();
}
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-once]")) return;
  if (form.getAttribute("aria-busy") === "true") { event.preventDefault(); event.stopImmediatePropagation(); return; }
  sender = event.submitter;
  form.setAttribute("aria-busy", "true");
  setTimeout(() => { for (const button of senders(form)) button.disabled = form.getAttribute("aria-busy") === "true"; });
}, true);
document.addEventListener("htmx:afterRequest", ({ detail }) => release(detail.elt.form ?? detail.elt.closest("form")));
addEventListener("pageshow", () => all('form[aria-busy="true"]').forEach(release));

// data-selection: a form or region with tick boxes, a box for all of them, counts, and a bar shown while any is ticked.
function countSelection(root) {
  const boxes = all("[data-select]", root);
  const ticked = boxes.filter((box) => box.checked).length;
  for (const box of all("[data-select-all]", root)) {
    box.checked = ticked > 0 && ticked === boxes.length;
    box.indeterminate = ticked > 0 && ticked < boxes.length;
  }
  let count = ticked;
  for (const box of all("[data-select-matching]", root)) {
    if (ticked < boxes.length) box.checked = false;
    box.closest("label").hidden = ticked < boxes.length;
    if (box.checked) count = box.dataset.selectMatching;
  }
  for (const place of all("[data-selected-count]", root)) place.textContent = count;
  for (const bar of all("[data-selection-bar]", root)) { bar.dataset.live = ""; bar.hidden = !ticked; }
}
function tickAll(root, on) { for (const box of all("[data-select]", root)) box.checked = on; countSelection(root); }

// data-shown-when="field=value|other": a row that only matters for these values of another field of its form.
function showRows(form) {
  for (const row of all("[data-shown-when]", form)) {
    const [name, values] = row.dataset.shownWhen.split("=");
    const now = new FormData(form).getAll(name);
    row.hidden = !values.split("|").some((value) => now.includes(value));
    for (const control of all("input, select, textarea, button", row)) control.disabled = row.hidden;
  }
}

function prepare() {
  all("[data-selection]").forEach(countSelection);
  new Set(all("[data-shown-when]").map((row) => row.closest("form")).filter(Boolean)).forEach(showRows);
  const theme = document.documentElement.dataset.theme ?? "";
  for (const choice of all("[data-theme-choice]")) choice.setAttribute("aria-pressed", choice.dataset.themeChoice === theme);
}
document.addEventListener("htmx:afterSettle", prepare);
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (document.activeElement === document.body) target.querySelector("[data-error-summary]")?.focus();
});

document.addEventListener("change", ({ target }) => {
  const root = target.closest("[data-selection]");
  if (root && target.matches("[data-select-all]")) tickAll(root, target.checked);
  else if (root) countSelection(root);
  if (target.form) showRows(target.form);
});

document.addEventListener("click", (event) => {
  const { target } = event;
  for (const menu of all("details[data-menu][open]")) if (!menu.contains(target)) menu.open = false;
  const none = target.closest("[data-select-none]");
  if (none) tickAll(none.closest("[data-selection]"), false);
  const toggle = target.closest("[data-toggle]"); // its target has the class folds
  if (toggle) {
    const open = toggle.getAttribute("aria-expanded") !== "true";
    toggle.setAttribute("aria-expanded", open);
    document.getElementById(toggle.dataset.toggle).classList.toggle("is-open", open);
  }
  const choice = target.closest("[data-theme-choice]");
  if (choice) {
    const theme = choice.dataset.themeChoice;
    if (theme) document.documentElement.dataset.theme = theme; else delete document.documentElement.dataset.theme;
    try { if (theme) localStorage.setItem("theme", theme); else localStorage.removeItem("theme"); } catch { /* not kept */ }
    prepare();
  }
  const fault = target.closest('[data-error-summary] a[href^="#"]');
  if (fault) { // Moving the address to "#field" would be one more step for Back.
    event.preventDefault();
    document.getElementById(fault.hash.slice(1))?.focus();
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest("details[data-menu][open]");
  if (menu) { event.preventDefault(); menu.open = false; menu.querySelector("summary").focus(); }
});

prepare();
document.querySelector("[data-error-summary]")?.focus();

// A search field has told its news while it was typed in. Its change event comes when it is left, often by a click on one of
// the rows found: asking again then would take that row away under the click.
document.addEventListener("change", (event) => { if (event.target.type === "search") event.stopPropagation(); }, true);
