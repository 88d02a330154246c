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

  const draw = (box) => {
    const still = box.querySelector("svg");
    const height = box.drawnHeight || still.getBoundingClientRect().height;
    const target = box.querySelector(".drawn");
    const spec = themed(specs[box.dataset.figure]);
    box.drawnHeight = height;
    box.classList.add("live");
    return window.Plotly.react(target, spec.data, { ...spec.layout, height }, { displayModeBar: false, responsive: true, doubleClick: "reset" }).catch(() =>
      box.classList.remove("live"),
    );
  };

  const start = () => {
    performance.mark("figures-start");
    const script = document.createElement("script");
    script.textContent = code.textContent;
    document.head.appendChild(script);
    if (!window.Plotly) return;
    const observer = new IntersectionObserver(
      (entries) => {
        for (const entry of entries.filter(({ isIntersecting }) => isIntersecting)) {
          observer.unobserve(entry.target);
          draw(entry.target);
        }
      },
      { rootMargin: "300px" },
    );
    boxes.forEach((box) => observer.observe(box));
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

  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  if (code && boxes.length) addEventListener("load", () => afterFirstPaint(start));
})();
