// Makes the pages livelier. Every page works without it.
"use strict";

// Regions with data-live="SECONDS" are fetched anew with their page, and replaced where changed.
function keepLive() {
  const regions = () => [...document.querySelectorAll("[data-live]")];
  if (!regions().length) return;
  const period = Math.min(...regions().map((region) => Number(region.dataset.live))) * 1000;

  async function refresh() {
    if (document.hidden || document.querySelector("[data-live] details.confirm[open]")) return;
    const answer = await fetch(location.href, { headers: { "X-Live": "1" } });
    if (answer.redirected || !answer.ok) return location.reload();
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const region of regions()) {
      const next = fresh.getElementById(region.id);
      if (!next) return location.reload();
      const busy = region.contains(document.activeElement) &&
        document.activeElement.matches("input, select, textarea");
      const same = next.innerHTML === region.innerHTML && next.className === region.className;
      if (!busy && !same) replace(region, next);
    }
  }

  // What a person can reach with the keyboard, and what tells it from others of its kind.
  const reachable = "a[href], button, summary, [tabindex]";
  const mark = (element) =>
    [element.tagName, element.getAttribute("href"), element.textContent.trim()].join(" ");

  // Where the keyboard's focus is: the element's mark, and how many of the same mark precede it.
  function focusIn(region) {
    const focused = document.activeElement;
    if (!region.contains(focused) || !focused.matches(reachable)) return null;
    const alike = [...region.querySelectorAll(reachable)].filter((one) => mark(one) === mark(focused));
    return { mark: mark(focused), number: alike.indexOf(focused) };
  }

  function giveFocus(region, focus) {
    if (!focus) return;
    const alike = [...region.querySelectorAll(reachable)].filter((one) => mark(one) === focus.mark);
    alike[Math.min(focus.number, alike.length - 1)]?.focus({ preventScroll: true });
  }

  // What the person has unfolded stays so, and the focus stays where it is.
  function replace(region, next) {
    const focus = focusIn(region);
    const folds = (element) => [...element.querySelectorAll("details")];
    const unfolded = folds(region).map((fold) => fold.open);
    region.className = next.className;
    region.innerHTML = next.innerHTML;
    folds(region).forEach((fold, number) => { fold.open = unfolded[number] ?? fold.open; });
    giveFocus(region, focus);
  }

  setInterval(() => refresh().catch(() => {}), period); // offline: the next round may succeed
  document.addEventListener("visibilitychange", () => refresh().catch(() => {}));
}

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    if (!navigator.clipboard) return copy.previousElementSibling.select(); // only on HTTPS
    await navigator.clipboard.writeText(copy.dataset.copy);
    const label = copy.textContent;
    copy.textContent = copy.dataset.done;
    setTimeout(() => { copy.textContent = label; }, 1500);
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details.menu[open], details.confirm[open]")) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-select]")) event.target.select();
});

// A form is sent once, however often its button is clicked.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  form.classList.add("sending");
  addEventListener("pageshow", () => {
    delete form.dataset.sent;
    form.classList.remove("sending");
  }, { once: true });
});

keepLive();
