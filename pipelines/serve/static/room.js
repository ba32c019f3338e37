// Keys of the reading room. Every page works without them.
"use strict";

const headlines = () => [...document.querySelectorAll("[data-open]")].filter((one) => one.offsetParent !== null);
let at = -1;

function step(by) {
  const all = headlines();
  if (!all.length) return;
  const here = all.indexOf(document.activeElement);
  if (here >= 0) at = here;
  at = Math.max(0, Math.min(all.length - 1, at + by));
  all[at].focus({ preventScroll: true });
  all[at].scrollIntoView({ block: "center" });
}

function follow(relation) {
  document.querySelector(`main a[rel="${relation}"]`)?.click();
}

const keys = {
  j: () => step(1),
  k: () => step(-1),
  o: () => headlines()[at]?.click(),
  n: () => follow("next"),
  p: () => follow("prev"),
  u: () => history.back(),
  t: () => location.assign("/"),
  "/": () => document.getElementById("find").focus(),
  "?": () => location.assign("/help"),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches("input, select, textarea");
  if (typing) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
