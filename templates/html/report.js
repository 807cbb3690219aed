"use strict";
// Everything can be read without this: it sorts and filters tables, and opens what is folded when it is linked to or
// printed. Only the first rows of a result are drawn, so that ten thousand hosts are found as fast as ten.
(function () {
  var PAGE = 200;
  var order = new Intl.Collator(undefined, { numeric: true }).compare;
  function key(cell) {
    var data = cell.querySelector("data");
    if (data) return Number(data.value);
    var text = cell.classList.contains("n") ? cell.firstChild ? cell.firstChild.textContent : "" : cell.textContent;
    var number = cell.classList.contains("n") ? Number(text.replace(/,/g, "").replace("\u2212", "-")) : NaN;
    return isNaN(number) ? text : number;
  }
  function compare(column, down) {
    return function (a, b) {
      if (a.keys[column] === undefined) a.keys[column] = key(a.row.cells[column]);
      if (b.keys[column] === undefined) b.keys[column] = key(b.row.cells[column]);
      var x = a.keys[column], y = b.keys[column];
      var way = typeof x === "number" && typeof y === "number" ? x - y : order(String(x), String(y));
      return down ? -way : way;
    };
  }
  Array.from(document.querySelectorAll(".sortable")).forEach(function (part) {
    var tables = Array.from(part.querySelectorAll("table"));
    var records = null;
    // A record is a row, or a host with its reasons.
    function read() {
      if (records) return records;
      records = [];
      tables.forEach(function (table) {
        Array.from(table.tBodies).forEach(function (body) {
          var whole = table.tBodies.length > 1 || body.classList.contains("placement");
          (whole ? [body.rows[0]] : Array.from(body.rows)).forEach(function (row) {
            records.push({ row: row, element: whole ? body : row, words: row.textContent.toLowerCase(), keys: [] });
          });
        });
      });
      return records;
    }
    if (tables.length === 1 && tables[0].querySelectorAll("tbody tr").length < 3) return;
    var list = document.createElement("div");
    list.className = "static";
    while (part.firstChild) list.append(part.firstChild);
    var tools = document.createElement("div");
    tools.className = "tools";
    var label = document.createElement("label");
    var filter = document.createElement("input");
    filter.type = "search";
    filter.autocomplete = "off";
    filter.placeholder = part.dataset.placeholder || "";
    label.append("WORD_FILTER ", filter);
    var shown = document.createElement("output");
    tools.append(label, shown);
    var result = document.createElement("div");
    result.className = "wide";
    result.setAttribute("role", "region");
    result.tabIndex = 0;
    result.hidden = true;
    result.setAttribute("aria-label", "WORD_RESULTS: " + tables[0].caption.textContent);
    var more = document.createElement("button");
    more.type = "button";
    more.textContent = "WORD_MORE";
    more.hidden = true;
    part.append(tools, list, result, more);
    var table = tables[0].cloneNode(false);
    table.append(tables[0].caption.cloneNode(true));
    var columns = tables[0].querySelector("colgroup");
    if (columns) table.append(columns.cloneNode(true));
    table.append(tables[0].tHead.cloneNode(true));
    result.append(table);
    var sorted = { column: -1, down: false };
    var hits = [];
    var drawn = 0;
    function draw(upTo) {
      var pieces = document.createDocumentFragment();
      for (; drawn < Math.min(upTo, hits.length); drawn += 1) pieces.append(hits[drawn].element.cloneNode(true));
      var bare = pieces.firstElementChild && pieces.firstElementChild.tagName === "TR";
      if (bare && !table.tBodies.length) table.append(document.createElement("tbody"));
      (bare ? table.tBodies[0] : table).append(pieces);
      more.hidden = drawn >= hits.length;
      var all = records.length.toLocaleString(document.documentElement.lang);
      var some = hits.length.toLocaleString(document.documentElement.lang);
      shown.textContent = "WORD_SHOWN".replace("{n}", some).replace("{all}", all) +
        (drawn < hits.length ? " " + "WORD_FIRST".replace("{n}", drawn) : "");
    }
    function show() {
      var wanted = filter.value.trim().toLowerCase();
      var plain = !wanted && sorted.column < 0;
      list.hidden = !plain;
      result.hidden = plain;
      if (plain) {
        more.hidden = true;
        shown.textContent = "";
        return;
      }
      hits = read().filter(function (record) { return record.words.includes(wanted); });
      if (sorted.column >= 0) hits.sort(compare(sorted.column, sorted.down));
      Array.from(table.tBodies).forEach(function (body) { body.remove(); });
      drawn = 0;
      draw(PAGE);
    }
    more.addEventListener("click", function () { draw(drawn + PAGE); });
    filter.addEventListener("input", show);
    tables.concat([table]).forEach(function (each) {
      Array.from(each.tHead.rows[0].cells).forEach(function (head, column) {
        var button = document.createElement("button");
        button.type = "button";
        button.className = "sort";
        while (head.firstChild) button.append(head.firstChild);
        head.append(button);
        button.addEventListener("click", function () {
          var first = head.classList.contains("n");
          if (sorted.column !== column) sorted = { column: column, down: first };
          else if (sorted.down === first) sorted.down = !first;
          else sorted = { column: -1, down: false };
          var state = sorted.column < 0 ? null : sorted.down ? "descending" : "ascending";
          tables.concat([table]).forEach(function (other) {
            Array.from(other.tHead.rows[0].cells).forEach(function (cell, place) {
              if (state && place === column) cell.setAttribute("aria-sort", state);
              else cell.removeAttribute("aria-sort");
            });
          });
          show();
          var there = (sorted.column < 0 ? tables[0] : table).tHead.rows[0].cells[column];
          there.querySelector("button").focus();
        });
      });
    });
  });
  function unfold() {
    var target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (var each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
    if (target) target.scrollIntoView();
  }
  addEventListener("hashchange", unfold);
  unfold();
  var opened = [];
  addEventListener("beforeprint", function () {
    opened = Array.from(document.querySelectorAll("details:not([open])"));
    opened.forEach(function (details) { details.open = true; });
  });
  addEventListener("afterprint", function () {
    opened.forEach(function (details) { details.open = false; });
  });
})();
