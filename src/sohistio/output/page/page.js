"use strict";
(() => {
  const table = document.querySelector("table");
  const headers = [...table.tHead.rows[0].cells];
  const said = document.getElementById("sorted");
  const collator = new Intl.Collator("en", { numeric: true });

  // A page that makes itself anew keeps its order and what was opened; where nothing can be kept, it works without.
  const keep = (name, value) => {
    try { sessionStorage.setItem(name + location.pathname, JSON.stringify(value)); } catch { /* no storage */ }
  };
  const kept = (name) => {
    try { return JSON.parse(sessionStorage.getItem(name + location.pathname)); } catch { return null; }
  };

  const orderOf = (group, column) => group.querySelector(`[data-column="${column}"]`)?.dataset.order ?? "";
  const compared = (a, b) => {
    if (a === b) return 0;
    if (a === "" || b === "") return a === "" ? 1 : -1;
    const numbers = [Number(a), Number(b)];
    return numbers.some(Number.isNaN) ? collator.compare(a, b) : numbers[0] - numbers[1];
  };

  const sort = (column, direction) => {
    const header = headers.find((one) => one.dataset.column === column);
    if (header === undefined) return;
    for (const one of headers) one.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    const known = (group) => orderOf(group, column) !== "";
    // What is not known stays last, in either direction.
    const groups = [...table.tBodies].sort((a, b) => {
      const [one, other] = [orderOf(a, column), orderOf(b, column)];
      return known(a) && known(b) ? sign * compared(one, other) : compared(one, other);
    });
    table.append(...groups);
    keep("sort", [column, direction]);
  };

  for (const header of headers) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = header.textContent;
    button.addEventListener("click", () => {
      const direction = header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      sort(header.dataset.column, direction);
      said.textContent = `Sorted by ${button.textContent}, ${direction}.`;
    });
    header.replaceChildren(button);
  }

  const details = [...document.querySelectorAll("details")];
  const opened = kept("opened") ?? [];
  for (const one of details) {
    one.open = opened.includes(one.id);
    one.addEventListener("toggle", () => keep("opened", details.filter((each) => each.open).map((each) => each.id)));
  }
  const [column, direction] = kept("sort") ?? [];
  if (direction === "ascending" || direction === "descending") sort(column, direction);
})();
