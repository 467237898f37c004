// Without this script every slide is on the page, one below the other; so it is when printed.
"use strict";
const deck = document.querySelector(".ck-deck");
const slides = [...document.querySelectorAll(".ck-slide")];
const stops = slides.map((slide) => [...slide.querySelectorAll(".ck-step")]);
const told = document.querySelector(".ck-place");
let at = 0;
let open = 0;

function show(slide, steps) {
  at = Math.max(0, Math.min(slide, slides.length - 1));
  open = Math.max(0, Math.min(steps, stops[at].length));
  slides.forEach((node, number) => { node.hidden = number !== at; });
  stops[at].forEach((node, number) => { node.classList.toggle("ck-closed", number >= open); });
  told.textContent = `${at + 1} of ${slides.length}`;
  const place = `#${at + 1}`;
  if (location.hash !== place) history.replaceState(null, "", place);
}
function next() { if (open < stops[at].length) show(at, open + 1); else if (at + 1 < slides.length) show(at + 1, 0); }
function back() { if (open > 0) show(at, open - 1); else if (at > 0) show(at - 1, Infinity); }
function part(step) {
  let to = at + step;
  while (to > 0 && to < slides.length && !("part" in slides[to].dataset)) to += step;
  show(to, 0);
  scrollTo(0, 0);
}
function place() { show((parseInt(location.hash.slice(1), 10) || 1) - 1, 0); }
function notes() {
  const shown = deck.classList.toggle("ck-speaking");
  document.querySelector("[data-do=notes]").setAttribute("aria-pressed", String(shown));
}
const keys = {
  ArrowRight: next, PageDown: next, " ": next, ArrowLeft: back, PageUp: back, n: notes,
  Home: () => show(0, 0), End: () => show(slides.length - 1, Infinity), "]": () => part(1), "[": () => part(-1),
};
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, summary, button, a");
  if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key] || (typing && event.key === " ")) return;
  event.preventDefault();
  keys[event.key]();
});
const deeds = { next, back, notes };
for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", () => deeds[button.dataset.do]());
addEventListener("hashchange", place);
document.querySelector(".ck-bar").hidden = false;
deck.classList.add("ck-running");
place();
