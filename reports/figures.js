// Draw the interactive figures over the static ones, after the page has been painted and only when they come into view.
(() => {
  "use strict";
  const code = document.getElementById("plotly-code");
  const specs = JSON.parse(document.getElementById("figures-data").textContent);
  const boxes = [...document.querySelectorAll(".chart[data-figure]")].filter((box) => specs[box.dataset.figure]);

  // "var(--x)" in a figure is the page's colour of that name, read when it is drawn: one figure serves light and dark.
  const themed = (value) => {
    if (typeof value === "string" && value.startsWith("var(--")) {
      return getComputedStyle(document.documentElement).getPropertyValue(value.slice(4, -1)).trim();
    }
    if (Array.isArray(value)) return value.map(themed);
    if (value !== null && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, themed(v)]));
    return value;
  };

  // Only the widest of a box's drawings has an interactive one; a telephone keeps the drawing that was made for it.
  const isWide = (box) => ![...box.querySelectorAll("svg.middle, svg.narrow")].some((svg) => getComputedStyle(svg).display !== "none");

  // The layout is that of the static drawing, which is as wide as its box: texts and margins grow and shrink with it.
  const scaled = (spec, scale) => {
    const { margin, font } = spec.layout;
    const sides = Object.fromEntries(Object.entries(margin).map(([side, size]) => [side, size * scale]));
    const data = spec.data.map((trace) => (trace.textfont ? { ...trace, textfont: { ...trace.textfont, size: trace.textfont.size * scale } } : trace));
    return { data, layout: { ...spec.layout, margin: sides, font: { ...font, size: font.size * scale } } };
  };

  const load = () => {
    if (window.Plotly) return true;
    const script = document.createElement("script");
    script.textContent = code.textContent;
    document.head.appendChild(script);
    return Boolean(window.Plotly);
  };

  const draw = (box) => {
    if (!isWide(box) || !load()) return undefined;
    const size = box.querySelector("svg.wide").viewBox.baseVal;
    const scale = box.clientWidth / size.width;
    const { data, layout } = scaled(themed(specs[box.dataset.figure]), scale);
    box.classList.add("live");
    box.dataset.width = box.clientWidth;
    const options = { displayModeBar: false, doubleClick: "reset" };
    const where = { ...layout, width: box.clientWidth, height: size.height * scale };
    return window.Plotly.react(box.querySelector(".drawn"), data, where, options).catch(() => box.classList.remove("live"));
  };

  const start = () => {
    performance.mark("figures-start");
    const isNear = new Set();
    const observer = new IntersectionObserver(
      (entries) => {
        for (const { target } of entries.filter(({ isIntersecting }) => isIntersecting)) {
          observer.unobserve(target);
          isNear.add(target);
          draw(target);
        }
      },
      { rootMargin: "300px" },
    );
    boxes.forEach((box) => observer.observe(box));
    const resized = new ResizeObserver((entries) => {
      for (const { target } of entries) if (isNear.has(target) && target.dataset.width !== String(target.clientWidth)) draw(target);
    });
    boxes.forEach((box) => resized.observe(box));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => boxes.filter((box) => box.classList.contains("live")).forEach(draw));
  };

  const afterFirstPaint = (then) => {
    if (!window.PerformanceObserver?.supportedEntryTypes?.includes("paint")) {
      requestAnimationFrame(() => setTimeout(then));
      return;
    }
    new PerformanceObserver((_, watcher) => {
      watcher.disconnect();
      setTimeout(then);
    }).observe({ type: "paint", buffered: true });
  };

  if (code && boxes.length) addEventListener("load", () => afterFirstPaint(start));
})();
