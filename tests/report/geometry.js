// Texts of a page that overlap, that something cuts off, or that are off the screen; one line each.
(() => {
  const INK = 0.22; // of a line's box above and below its letters
  const wide = document.documentElement.clientWidth;
  const shown = (element) => element.checkVisibility({ contentVisibilityAuto: true, opacityProperty: true, visibilityProperty: true });
  const boxes = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT, (node) =>
    node.data.trim() && !node.parentElement.closest("script, style, title, template, .skip") ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP,
  );
  while (walk.nextNode()) {
    const parent = walk.currentNode.parentElement;
    if (!shown(parent)) continue;
    const range = document.createRange();
    range.selectNodeContents(walk.currentNode);
    const drawn = parent.closest("svg text");
    for (const box of drawn ? [drawn.getBoundingClientRect()] : range.getClientRects()) {
      if (box.width < 1 || box.height < 1) continue;
      boxes.push({ text: walk.currentNode.data.trim().slice(0, 40), of: drawn ?? walk.currentNode, parent, top: box.top + box.height * INK, bottom: box.bottom - box.height * INK, left: box.left, right: box.right });
    }
  }
  const found = [];
  for (const box of boxes) {
    for (let at = box.parent; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (at.matches(".scroll, .contents")) {
        box.inside = true; // what does not fit is reached by scrolling
        break;
      }
      if (at !== document.documentElement && at !== document.body && style.overflowX !== "visible") {
        const edge = at.getBoundingClientRect();
        if (box.left < edge.left - 1 || box.right > edge.right + 1) found.push(`cut: ${box.text}`);
      }
    }
    if (!box.inside && (box.left < -1 || box.right > wide + 1)) found.push(`off the screen: ${box.text}`);
  }
  boxes.sort((a, b) => a.top - b.top);
  boxes.forEach((box, k) => {
    for (let j = k + 1; j < boxes.length && boxes[j].top < box.bottom - 1; j++) {
      const other = boxes[j];
      const together = Math.min(box.right, other.right) - Math.max(box.left, other.left);
      if (other.of !== box.of && together > 1.5 && !(box.inside !== other.inside && box.left >= wide)) found.push(`overlap: ${box.text} | ${other.text}`);
    }
  });
  return [...new Set(found)].slice(0, 20);
})();
