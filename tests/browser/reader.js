// Does what a reader does: types into the filter, sorts by a head, follows a link; returns what came of each.
(() => {
  const part = document.querySelector("#placements .sortable");
  const filter = part.querySelector("input");
  const table = () => [...part.querySelectorAll("table")].at(-1);
  const hosts = () => [...table().querySelectorAll("tbody th")].map((cell) => cell.textContent);
  const type = (text) => { filter.value = text; filter.dispatchEvent(new Event("input")); };
  const seen = {};
  const wanted = part.querySelector("tbody th").textContent;
  type(wanted);
  seen.filtered = hosts().every((host, place) => table().tBodies[place].textContent.includes(wanted)) && hosts().length > 0;
  seen.said = part.querySelector("output").textContent;
  type("no such host anywhere");
  seen.none = hosts().length;
  type("");
  seen.static = !part.querySelector(".static").hidden;
  const heads = () => [...(part.querySelector(".static").hidden ? table() : part.querySelector("table")).tHead.rows[0].cells];
  heads()[5].querySelector("button").click();
  const money = [...table().querySelectorAll("tbody td:nth-child(6) data")].map((data) => Number(data.value));
  seen.sorted = money.length > 2 && money.every((value, place) => place === 0 || money[place - 1] >= value);
  seen.aria = heads()[5].getAttribute("aria-sort");
  seen.focus = document.activeElement === heads()[5].querySelector("button");
  heads()[0].querySelector("button").click();
  const names = hosts();
  seen.byName = names.every((name, place) => place === 0 || names[place - 1].localeCompare(name, undefined, { numeric: true }) <= 0);
  for (const link of document.querySelectorAll("a[href^='#source-']")) {
    location.hash = link.getAttribute("href");
    seen.anchor = !!document.querySelector(":target");
    break;
  }
  return seen;
})()
