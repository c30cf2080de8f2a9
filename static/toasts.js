// Short messages at the edge of the screen. The server sends one as HX-Trigger: {"toast": {"text", "level", "href", "link"}}.
const page = document.getElementById("toasts");
const dialog = document.getElementById("dialog");

export function toast({ text, value, level = "info", href, link }) {
  const item = document.createElement("div");
  item.className = `toast is-${level}`;
  if (level === "bad") item.setAttribute("role", "alert");
  const words = document.createElement("p");
  words.textContent = text ?? value;
  if (href) {
    const way = document.createElement("a");
    way.href = href;
    way.textContent = link ?? href;
    words.append(" ", way);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", page.dataset.dismiss);
  close.addEventListener("click", () => item.remove());
  item.append(words, close);
  // While a dialog is open the rest of the page is inert, so the dialog has a place of its own.
  (dialog?.open ? dialog.querySelector(".toasts") : page).append(item);
  if (level !== "bad") setTimeout(function leave() {
    if (item.matches(":hover, :focus-within")) setTimeout(leave, 3000); else item.remove();
  }, 8000);
}

document.addEventListener("toast", ({ detail }) => toast(detail));
dialog?.addEventListener("close", () => page.append(...dialog.querySelectorAll(".toast")));
