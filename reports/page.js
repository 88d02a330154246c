// Copy buttons, and tables that sort by a click on a column's head; without scripts the page reads the same.
(() => {
  "use strict";

  const button = (name, text) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = name;
    made.textContent = text;
    return made;
  };

  // The clipboard is there only in a secure context, such as a file or https; else what is selected is copied.
  const copy = async (element, text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      getSelection().selectAllChildren(element);
      document.execCommand("copy");
      getSelection().removeAllRanges();
    }
  };

  const offerCopy = (element, beside) => {
    const text = element.textContent;
    const made = button("copy", "Copy");
    made.setAttribute("aria-label", `Copy ${text.slice(0, 80)}`);
    made.addEventListener("click", async () => {
      await copy(element, text);
      made.textContent = "Copied";
      setTimeout(() => (made.textContent = "Copy"), 2000);
    });
    beside(made);
  };

  const term = (element) => {
    let at = element.closest("dd");
    while (at && at.tagName !== "DT") at = at.previousElementSibling;
    return at;
  };

  for (const code of document.querySelectorAll(".commands code, .quotes code")) offerCopy(code, (made) => code.after(made));
  for (const quote of document.querySelectorAll(".quotes pre")) {
    const head = term(quote);
    if (head) offerCopy(quote, (made) => head.append(" ", made));
  }

  const NUMBER = /^[^\d]{0,3}(-?[\d,]+(?:\.\d+)?)(?: %)?$/;
  const MISSING = new Set(["", "–"]);

  // What a column is sorted by: what the page says, else numbers, else texts; null is what is missing.
  const keys = (cells) => {
    if (cells.some((cell) => cell?.dataset.sort)) return cells.map((cell) => (cell?.dataset.sort ? Number(cell.dataset.sort) : null));
    const texts = cells.map((cell) => cell?.textContent.trim() ?? "");
    const numbers = texts.map((text) => NUMBER.exec(text)?.[1]);
    if (numbers.every((number, k) => number || MISSING.has(texts[k]))) return numbers.map((n) => (n ? Number(n.replaceAll(",", "")) : null));
    return texts.map((text) => text || null);
  };

  const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true }));

  const sort = (rows, column, direction) => {
    const by = keys(rows.map((row) => row.cells[column]));
    const order = rows.map((row, k) => [row, by[k]]);
    if (direction) order.sort(([, a], [, b]) => (a === null || b === null ? (a === null) - (b === null) : direction * compare(a, b)));
    return order.map(([row]) => row);
  };

  const bodies = (table) =>
    [...table.tBodies].map((body) => ({ body, rows: [...body.rows].filter((row) => row.cells[0].scope !== "rowgroup") }));

  const sortable = (table) => {
    const parts = bodies(table);
    if (!parts.some(({ rows }) => rows.length > 1)) return;
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const made = button("sort", "");
      made.append(...head.childNodes);
      head.append(made);
      const first = head.classList.contains("n") ? -1 : 1;
      made.addEventListener("click", () => {
        const now = { ascending: 1, descending: -1 }[head.ariaSort] ?? 0;
        const next = now === 0 ? first : now === first ? -first : 0;
        for (const other of heads) other.removeAttribute("aria-sort");
        if (next) head.setAttribute("aria-sort", next > 0 ? "ascending" : "descending");
        for (const { body, rows } of parts) body.append(...sort(rows, column, next));
      });
    });
  };

  document.querySelectorAll("table.sortable").forEach(sortable);

  addEventListener("beforeprint", () => document.querySelectorAll("main details:not(.screen)").forEach((details) => (details.open = true)));
})();
