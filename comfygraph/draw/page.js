"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const canvas = document.getElementById("canvas");
  const view = document.getElementById("view");
  const grid = document.getElementById("grid");
  const panel = document.getElementById("panel");
  const search = document.getElementById("search");
  const hits = document.getElementById("hits");
  const zoomButton = document.getElementById("zoom");
  const findingsButton = document.getElementById("findings");
  const elements = new Map();
  const wires = new Map();
  const links = Array.from(view.querySelectorAll(".wire"));
  const FAR = 0.42;
  let x = 0, y = 0, scale = 1, chosen = null, found = [], at = -1;

  for (const element of view.querySelectorAll(".node")) {
    element.setAttribute("tabindex", "0");
    elements.set(element.dataset.id, element);
  }
  for (const wire of links) {
    for (const id of new Set([wire.dataset.from, wire.dataset.to])) {
      if (!wires.has(id)) wires.set(id, []);
      wires.get(id).push(wire);
    }
  }

  function show() {
    view.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
    grid.setAttribute("patternTransform", `translate(${x} ${y}) scale(${scale < 0.3 ? scale * 4 : scale})`);
    canvas.classList.toggle("far-away", scale < FAR);
    zoomButton.textContent = `${Math.round(scale * 100)}%`;
  }

  function room() {
    const box = canvas.getBoundingClientRect();
    const taken = panel.hidden || box.width < 900 ? 0 : panel.offsetWidth;
    return { width: Math.max(box.width - taken, 100), height: Math.max(box.height, 100) };
  }

  function fit() {
    const { width, height } = room();
    scale = Math.min(width / data.width, height / data.height, 1.25);
    x = (width - data.width * scale) / 2;
    y = (height - data.height * scale) / 2;
    show();
  }

  function zoom(factor, px, py) {
    const next = Math.min(Math.max(scale * factor, 0.01), 4);
    x = px - (px - x) * next / scale;
    y = py - (py - y) * next / scale;
    scale = next;
    show();
  }

  function zoomMiddle(factor) {
    const { width, height } = room();
    zoom(factor, width / 2, height / 2);
  }

  function reveal(id, nearer) {
    const [left, top, w, h] = data.nodes[id].box;
    const { width, height } = room();
    const outside = left * scale + x < 0 || top * scale + y < 0 ||
      (left + w) * scale + x > width || (top + h) * scale + y > height;
    if (!outside && (!nearer || scale >= FAR)) return;
    if (nearer && scale < FAR) scale = Math.min(0.9, width / (w + 80), height / (h + 80));
    x = width / 2 - (left + w / 2) * scale;
    y = height / 2 - (top + h / 2) * scale;
    show();
  }

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function label(id) {
    const node = data.nodes[id];
    return node ? `${node.title} (${id})` : `node ${id}, which is not there`;
  }

  function go(id, text) {
    const button = make("button", "go", text);
    button.type = "button";
    if (data.nodes[id]) button.addEventListener("click", () => choose(id, true));
    else button.disabled = true;
    return button;
  }

  function finding([severity, text], id) {
    const element = make("div", `finding ${severity}`);
    if (id !== undefined) element.append(go(id, label(id)));
    element.append(`${severity}: ${text}`);
    return element;
  }

  function openPanel(title, about) {
    panel.replaceChildren();
    const close = make("button", "close", "×");
    close.type = "button";
    close.setAttribute("aria-label", "Close");
    close.addEventListener("click", () => unchoose(true));
    panel.append(close, make("h2", "", title), make("p", "about", about));
    panel.hidden = false;
    panel.scrollTop = 0;
  }

  function section(title) {
    panel.append(make("h3", "", title));
    const list = make("dl");
    panel.append(list);
    return (name, className, ...content) => {
      const value = make("dd", className);
      value.append(...content);
      list.append(make("dt", "", name), value);
    };
  }

  function choose(id, move) {
    const node = data.nodes[id];
    mark(id);
    findingsButton.setAttribute("aria-expanded", "false");
    const known = node.known ? "" : ", a class that the catalog does not know";
    openPanel(node.title, `${node.class} · ${id}${known}`);
    for (const item of node.findings) panel.append(finding(item));
    if (node.inputs.length) {
      const add = section("Inputs");
      for (const input of node.inputs) {
        if (input.from) {
          const [origin, slot] = input.from;
          const output = data.nodes[origin].outputs[slot];
          add(input.name, "", go(origin, `← ${label(origin)} ${output ? output.name : slot}`));
        } else if (input.open) add(input.name, "unset", `not linked (${input.type})`);
        else add(input.name, input.given ? "" : "unset", input.given ? input.value : `${input.value} (default)`);
      }
    }
    if (node.outputs.length) {
      const add = section("Outputs");
      for (const output of node.outputs) {
        const targets = output.to.map(([target, name]) => go(target, `→ ${label(target)} ${name}`));
        add(output.name, targets.length ? "" : "unset", ...(targets.length ? targets : [`unused (${output.type})`]));
      }
    }
    if (node.notes.length) {
      panel.append(make("h3", "", "What the editor cannot show"));
      for (const note of node.notes) panel.append(make("p", "", note));
    }
    if (move) {
      reveal(id, true);
      elements.get(id).focus({ preventScroll: true });
    }
  }

  function mark(id) {
    if (chosen !== null) elements.get(chosen).classList.remove("chosen");
    for (const wire of view.querySelectorAll(".wire.near")) wire.classList.remove("near");
    chosen = id;
    canvas.classList.toggle("tracing", id !== null);
    if (id === null) return;
    elements.get(id).classList.add("chosen");
    for (const wire of wires.get(id) || []) wire.classList.add("near");
  }

  function unchoose(back) {
    const last = chosen;
    mark(null);
    panel.hidden = true;
    findingsButton.setAttribute("aria-expanded", "false");
    if (back) (last === null ? canvas : elements.get(last)).focus({ preventScroll: true });
  }

  function showFindings() {
    const open = findingsButton.getAttribute("aria-expanded") === "true";
    unchoose(false);
    if (open) return;
    openPanel("Findings", findingsButton.textContent);
    for (const item of data.general) panel.append(finding(item));
    for (const [id, node] of Object.entries(data.nodes))
      for (const item of node.findings) panel.append(finding(item, id));
    findingsButton.setAttribute("aria-expanded", "true");
  }

  const texts = new Map(Object.entries(data.nodes).map(([id, node]) => [
    id,
    [id, node.title, node.class, ...node.inputs.map((input) => `${input.name} ${input.value || ""}`),
      ...node.findings.map((item) => item[1])].join("\n").toLowerCase(),
  ]));

  function find() {
    const wanted = search.value.trim().toLowerCase();
    canvas.classList.toggle("searching", wanted !== "");
    found = wanted === "" ? [] : [...elements.keys()].filter((id) => texts.get(id).includes(wanted));
    at = -1;
    const hit = new Set(found);
    for (const [id, element] of elements) element.classList.toggle("hit", hit.has(id));
    hits.textContent = wanted === "" ? "" : `${found.length} found`;
  }

  function nextHit(step) {
    if (!found.length) return;
    at = (at + step + found.length) % found.length;
    hits.textContent = `${at + 1} of ${found.length}`;
    choose(found[at], false);
    reveal(found[at], true);
  }

  search.addEventListener("input", find);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") nextHit(event.shiftKey && at >= 0 ? -1 : 1);
    else if (event.key === "Escape") {
      search.value = "";
      find();
      canvas.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    const step = event.deltaY * (event.deltaMode === 1 ? 20 : event.deltaMode === 2 ? 400 : 1);
    zoom(Math.exp(-Math.max(-300, Math.min(step, 300)) * 0.0016), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });

  const pointers = new Map();
  let moved = false;
  let pressed = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button > 1) return;
    pointers.set(event.pointerId, event);
    if (pointers.size === 1) {
      moved = false;
      pressed = event.target.closest(".node");
    }
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const dx = event.clientX - before.clientX, dy = event.clientY - before.clientY;
    if (!moved && pointers.size === 1 && Math.hypot(dx, dy) < 4) return;
    if (!moved) {
      moved = true;
      canvas.setPointerCapture(event.pointerId);
      canvas.classList.add("dragging");
    }
    if (pointers.size === 2) {
      const other = [...pointers.values()].find((item) => item.pointerId !== event.pointerId);
      const box = canvas.getBoundingClientRect();
      const apart = (item) => Math.hypot(item.clientX - other.clientX, item.clientY - other.clientY) || 1;
      zoom(apart(event) / apart(before), (event.clientX + other.clientX) / 2 - box.left,
        (event.clientY + other.clientY) / 2 - box.top);
    }
    x += dx / pointers.size;
    y += dy / pointers.size;
    pointers.set(event.pointerId, event);
    show();
  });
  function release(event) {
    if (!pointers.delete(event.pointerId)) return;
    canvas.classList.remove("dragging");
    if (moved || pointers.size || event.type === "pointercancel") return;
    if (pressed) choose(pressed.dataset.id, false);
    else if (!panel.hidden) unchoose(false);
  }
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);

  view.addEventListener("focusin", (event) => {
    const node = event.target.closest(".node");
    if (node && node.matches(":focus-visible")) reveal(node.dataset.id, false);
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target === search) return;
    const inPanel = panel.contains(event.target);
    const node = event.target.closest ? event.target.closest(".node") : null;
    const step = event.shiftKey ? 240 : 60;
    switch (event.key) {
      case "/": search.focus(); search.select(); break;
      case "+": case "=": zoomMiddle(1.25); break;
      case "-": case "_": zoomMiddle(0.8); break;
      case "0": case "f": fit(); break;
      case "1": zoomMiddle(1 / scale); break;
      case "Escape": unchoose(true); break;
      case "Enter": case " ":
        if (!node) return;
        choose(node.dataset.id, false);
        break;
      case "ArrowLeft": case "ArrowRight": case "ArrowUp": case "ArrowDown":
        if (inPanel) return;
        if (event.key === "ArrowLeft") x += step;
        if (event.key === "ArrowRight") x -= step;
        if (event.key === "ArrowUp") y += step;
        if (event.key === "ArrowDown") y -= step;
        show();
        break;
      default: return;
    }
    event.preventDefault();
  });

  document.getElementById("in").addEventListener("click", () => zoomMiddle(1.25));
  document.getElementById("out").addEventListener("click", () => zoomMiddle(0.8));
  document.getElementById("fit").addEventListener("click", fit);
  zoomButton.addEventListener("click", () => zoomMiddle(1 / scale));
  if (findingsButton.textContent) {
    findingsButton.hidden = false;
    const worst = ["error", "warning"].find((word) => findingsButton.textContent.includes(word));
    if (worst) findingsButton.classList.add(worst);
    findingsButton.addEventListener("click", showFindings);
  }

  // A window that changes its size shows everything again, until a person has moved the view.
  fit();
  let fitted = [x, y, scale].join();
  new ResizeObserver(() => {
    if ([x, y, scale].join() !== fitted) return;
    fit();
    fitted = [x, y, scale].join();
  }).observe(canvas);
  let start = "";
  try {
    start = decodeURIComponent(location.hash.slice(1));
  } catch {
    start = "";
  }
  if (Object.hasOwn(data.nodes, start)) choose(start, true);
  document.documentElement.dataset.ready = "true";
})();
