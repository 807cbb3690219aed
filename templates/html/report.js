"use strict";
// Everything can be read without this: it filters and sorts placements, and opens what is folded for printing.
(function () {
  var tools = document.getElementById("tools");
  if (tools) {
    var filter = document.getElementById("filter");
    var sort = document.getElementById("sort");
    var shown = document.getElementById("shown");
    var tables = Array.from(document.querySelectorAll("table.placements"));
    var rows = Array.from(document.querySelectorAll("tbody.placement")).map(function (body) {
      var cells = body.rows[0].cells;
      return {
        body: body,
        words: body.rows[0].textContent.toLowerCase(),
        host: cells[0].textContent,
        offer: cells[2].textContent,
        where: cells[3].textContent,
        monthly: Number(cells[5].firstChild.getAttribute("value"))
      };
    });
    var inPlan = rows.slice();
    var sizes = tables.map(function (table) { return table.tBodies.length; });
    var compare = function (key) {
      if (key === "monthly") return function (a, b) { return b.monthly - a.monthly; };
      var order = new Intl.Collator(undefined, { numeric: true }).compare;
      return function (a, b) { return order(a[key], b[key]); };
    };
    sort.addEventListener("change", function () {
      rows = sort.value === "plan" ? inPlan : inPlan.slice().sort(compare(sort.value));
      var next = 0;
      tables.forEach(function (table, place) {
        rows.slice(next, next += sizes[place]).forEach(function (row) { table.append(row.body); });
      });
    });
    filter.addEventListener("input", function () {
      var wanted = filter.value.trim().toLowerCase();
      var hits = 0;
      rows.forEach(function (row) {
        row.body.hidden = !row.words.includes(wanted);
        if (!row.body.hidden) hits += 1;
      });
      tables.forEach(function (table) {
        var block = table.closest("details.block");
        if (!block) return;
        var some = Array.from(table.tBodies).some(function (body) { return !body.hidden; });
        block.hidden = !some;
        if (wanted && some) block.open = true;
      });
      shown.textContent = wanted ? hits + " of " + rows.length + " hosts shown" : "";
    });
    tools.hidden = false;
  }
  var opened = [];
  addEventListener("beforeprint", function () {
    opened = Array.from(document.querySelectorAll("details:not([open])"));
    opened.forEach(function (details) { details.open = true; });
  });
  addEventListener("afterprint", function () {
    opened.forEach(function (details) { details.open = false; });
  });
})();
