// Looks at the open page as a strict reader would and returns every complaint, as a list of sentences.
// Collapsed parts are opened first, so that nothing escapes the look.
(() => {
  const complaints = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  all("details").forEach((details) => (details.open = true));

  const name = (element) => {
    // By characters: half of one is no text, and the answer could not be read.
    const text = [...(element.textContent || "").trim().replace(/\s+/g, " ")].slice(0, 40).join("");
    const id = element.id ? `#${element.id}` : "";
    return `<${element.tagName.toLowerCase()}${id}> "${text}"`;
  };

  const width = document.documentElement.clientWidth;
  const overflow = document.documentElement.scrollWidth - width;
  if (overflow > 0) {
    const clipped = (element) => {
      for (let at = element.parentElement; at; at = at.parentElement) {
        if (at !== document.body && getComputedStyle(at).overflowX !== "visible") return true;
      }
      return false;
    };
    // A word that does not break sticks out of its element, so ask how far the content goes.
    const content = document.createRange();
    const widest = all("body *").findLast((element) => {
      content.selectNodeContents(element);
      const right = Math.max(element.getBoundingClientRect().right, content.getBoundingClientRect().right);
      return right > width + 1 && !clipped(element);
    });
    complaints.push(`overflow: the page is ${overflow} px wider than the window; see ${widest ? name(widest) : "body"}`);
  }

  for (const element of all("body *")) {
    const style = getComputedStyle(element);
    const scrolls = ["auto", "scroll"].includes(style.overflowX) && element.scrollWidth > element.clientWidth + 1;
    if (scrolls && element.tabIndex < 0 && !element.querySelector("a[href], button, [tabindex='0']")) {
      complaints.push(`keyboard: ${name(element)} scrolls sideways but cannot be reached with the keyboard`);
    }
  }

  if (!document.documentElement.lang) complaints.push("language: <html> has no lang");
  if (!document.title.trim()) complaints.push("title: the page has none");
  if (all("main").length !== 1) complaints.push("landmarks: there must be one <main>");

  let level = 0;
  for (const heading of all("h1, h2, h3, h4, h5, h6")) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) complaints.push(`headings: ${name(heading)} follows level ${level}`);
    level = next;
  }
  if (all("h1").length !== 1) complaints.push(`headings: ${all("h1").length} of level 1, not one`);

  for (const table of all("table")) {
    if (!table.caption?.textContent.trim()) complaints.push(`tables: ${name(table)} has no caption`);
    if (!table.querySelector("th")) complaints.push(`tables: ${name(table)} has no header cell`);
  }
  for (const header of all("th")) {
    if (!header.scope) complaints.push(`tables: ${name(header)} does not say what it heads (scope)`);
  }

  const ids = new Set();
  for (const element of all("[id]")) {
    if (ids.has(element.id)) complaints.push(`ids: "${element.id}" is used twice`);
    ids.add(element.id);
  }
  for (const link of all("a[href^='#']")) {
    const target = decodeURIComponent(link.getAttribute("href").slice(1));
    if (target && !ids.has(target)) complaints.push(`links: ${name(link)} leads nowhere`);
  }

  // A canvas turns any colour notation into red, green, blue and alpha.
  const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const colour = (css) => {
    if (!known.has(css)) {
      brush.clearRect(0, 0, 1, 1);
      brush.fillStyle = css;
      brush.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = brush.getImageData(0, 0, 1, 1).data;
      known.set(css, [r, g, b, a / 255]);
    }
    return known.get(css);
  };
  // What shows where nothing is painted depends on the colour scheme of the page.
  const probe = document.documentElement.appendChild(document.createElement("i"));
  probe.style.backgroundColor = "Canvas";
  const canvas = colour(getComputedStyle(probe).backgroundColor);
  probe.remove();
  const over = ([r, g, b, a], [r2, g2, b2]) => [r * a + r2 * (1 - a), g * a + g2 * (1 - a), b * a + b2 * (1 - a), 1];
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (layers) => {
    const opaque = layers.findIndex((layer) => layer[3] >= 1);
    const below = opaque < 0 ? [...layers, canvas] : layers.slice(0, opaque + 1);
    return below.reduceRight((under, layer) => over(layer, under));
  };
  const behind = (element) => {
    if (!element.closest("svg")) {
      const layers = [];
      for (let at = element; at; at = at.parentElement) layers.push(colour(getComputedStyle(at).backgroundColor));
      return ground(layers);
    }
    // A drawing has no ancestors that are its ground: ask what lies under the middle of the word.
    element.scrollIntoView({ block: "center" });
    const box = element.getBoundingClientRect();
    const stack = document.elementsFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    return ground(stack.filter((at) => !at.closest("text")).map((at) => {
      const style = getComputedStyle(at);
      if (at.closest("svg") && at.tagName !== "svg") return style.fill === "none" ? [0, 0, 0, 0] : colour(style.fill);
      return colour(style.backgroundColor);
    }));
  };

  const seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const drawn = element.closest("text");
    if (!walker.currentNode.data.trim() || seen.has(element) || ["SCRIPT", "STYLE", "TITLE", "DESC"].includes(element.tagName.toUpperCase())) continue;
    seen.add(element);
    const box = element.getBoundingClientRect();
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || box.width <= 1 || box.height <= 1) continue;
    const style = getComputedStyle(element);
    const under = behind(element);
    const text = over(colour(drawn ? style.fill : style.color), under);
    const [light, dark] = [luminance(text), luminance(under)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) complaints.push(`contrast: ${ratio.toFixed(2)} for ${name(element)}`);
  }
  scrollTo(0, 0);
  return complaints;
})();
