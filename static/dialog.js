// Whatever htmx swaps into #dialog-body opens the dialog. Each thing shown in it has its own address, which goes into the
// history; closing goes back to the page's address. Loaded directly, such an address is a page that holds #dialog-body itself.
const dialog = document.getElementById("dialog");
const body = document.getElementById("dialog-body");
const here = () => location.pathname + location.search;

let home = here();        // address of the page below
let title = document.title;
let opener = null;        // what focus returns to
let depth = 0;            // history entries since the page below
let edited = false;
let filling = false;

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.target === body && dialog && !dialog.open) { opener = detail.elt; title = document.title; }
});
document.addEventListener("htmx:beforeSwap", ({ detail }) => { filling = detail.target === body; });
for (const name of ["htmx:pushedIntoHistory", "htmx:replacedInHistory"])
  document.addEventListener(name, () => { if (!filling) home = here(); });

function remember({ requestConfig, pathInfo, xhr }) {
  const path = pathInfo.responsePath || pathInfo.finalRequestPath;
  const read = requestConfig.verb === "get";
  if (xhr.status >= 400 || path === here() || requestConfig.elt?.getAttribute("hx-push-url") === "false") return;
  if (read) history.pushState({ dialog: ++depth, home }, "", path);
  else if (path !== pathInfo.finalRequestPath) history.replaceState({ dialog: depth, home }, "", path);
}

function takeFocus(opened) {
  if (!opened && body.contains(document.activeElement)) return;
  (body.querySelector("[data-error-summary]") ?? body.querySelector("[autofocus]") ?? body.querySelector("#dialog-title, h1, h2"))?.focus();
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target !== body || event.detail.target !== body) return;
  const opened = dialog && !dialog.open;
  if (opened && !event.detail.requestConfig.elt.isConnected) return body.replaceChildren(); // closed while it was loading
  edited = false;
  remember(event.detail);
  if (opened) dialog.showModal();
  takeFocus(opened);
});

function load() { window.htmx.ajax("GET", here(), { target: "#dialog-body", swap: "innerHTML" }); }

addEventListener("popstate", (event) => {
  const state = event.state;
  if (here() === home) {
    event.stopImmediatePropagation();
    depth = 0;
    if (dialog?.open) dialog.close();
    else if (!dialog && body) load();
  } else if (state?.dialog && state.home === home) {
    event.stopImmediatePropagation();
    depth = state.dialog;
    load();
  } else if (!state?.htmx) location.reload();
}, true);

if (dialog) {
  dialog.addEventListener("close", () => {
    body.replaceChildren();
    document.title = title;
    const back = opener?.isConnected ? opener : opener?.id && document.getElementById(opener.id);
    (back || document.getElementById("main")).focus();
    if (depth) history.go(-depth);
    depth = 0;
    document.body.dispatchEvent(new CustomEvent("dialog-closed"));
  });
  dialog.addEventListener("input", () => { edited = true; });
  let pressed = false;
  dialog.addEventListener("pointerdown", (event) => { pressed = event.target === dialog; });
  dialog.addEventListener("click", (event) => {
    const outside = pressed && event.target === dialog && !edited; // What was typed is not lost by a stray click.
    const close = event.target.closest("[data-dialog-close]");
    if (close) event.preventDefault();
    if (outside || close) dialog.close();
  });
  document.addEventListener("dialog-close", () => dialog.close());
}
