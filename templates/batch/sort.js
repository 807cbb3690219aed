"use strict";
for (const table of document.querySelectorAll("table[class~=sortable]")) {
  const body = table.tBodies[0];
  table.querySelectorAll("thead th").forEach((head, column) => {
    if (!head.dataset.sort) return;
    const button = document.createElement("button");
    button.className = "sorting";
    button.type = "button";
    button.title = head.dataset.sort;
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column].dataset.key ?? row.cells[column].textContent.trim();
      const isNumber = head.classList.contains("n");
      const rows = [...body.rows].map((row, place) => [key(row), place, row]);
      rows.sort(([a, i], [b, j]) => {
        if ((a === "") !== (b === "")) return a === "" ? 1 : -1;
        const order = isNumber ? Number(a) - Number(b) : a < b ? -1 : a > b ? 1 : 0;
        return (down ? -order : order) || i - j;
      });
      body.append(...rows.map(([, , row]) => row));
    });
  });
}
