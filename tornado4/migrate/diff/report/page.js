"use strict";
// The report's script. Everything shown is made of text nodes: what servers sent is never read as markup.
(() => {
  const byId = (id) => document.getElementById(id);
  const read = (id) => JSON.parse(byId(id).textContent);
  const { sides, steps } = read("index");
  const SIGNS = { different: "≠", ignored: "≈", untested: "?", same: "=" };
  const CONTEXT = 3; // equal lines left standing around a change
  const WIDEST = 64 * 1024; // bytes of a raw view that are shown

  function make(tag, className, ...children) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children.filter((child) => child !== null));
    return element;
  }

  // ---- the list and its filters

  const outcomes = new Set(["different", "ignored", "untested", "same"]);
  const chosen = { text: "", kind: "", rule: "" };
  const places = new Map(); // a step's number -> its place in `steps`
  const buttons = [...document.querySelectorAll(".count")];
  let visible = [];
  let current = null;

  function listEntry(step) {
    const link = make("a", step.outcome, make("span", "sign", SIGNS[step.outcome]), make("span", "name", step.name), make("span", "status", step.status));
    link.append(make("span", "number", String(step.number)));
    const hint = step.hint || step.rules.join(", ") || step.sequence;
    link.append(make("span", "hint", [hint, step.took].filter(Boolean).join(" · ")));
    link.href = "#step-" + step.number;
    link.title = step.name;
    return make("li", "", link);
  }

  function fillSelect(id, values) {
    for (const value of values) byId(id).append(new Option(value, value));
    byId(id).disabled = values.length === 0;
  }

  function matches(step) {
    return outcomes.has(step.outcome)
      && (!chosen.kind || step.kinds.includes(chosen.kind))
      && (!chosen.rule || step.rules.includes(chosen.rule))
      && chosen.text.split(/\s+/).every((word) => step.search.includes(word));
  }

  function applyFilters() {
    visible = steps.filter((step) => (step.item.hidden = !matches(step)) === false);
    byId("none").hidden = visible.length > 0 || steps.length === 0;
    byId("shown").value = visible.length === steps.length
      ? steps.length.toLocaleString("en") + (steps.length === 1 ? " step" : " steps")
      : visible.length.toLocaleString("en") + " of " + steps.length.toLocaleString("en") + " steps";
    byId("reset").hidden = visible.length === steps.length;
    for (const button of buttons) button.setAttribute("aria-pressed", String(outcomes.has(button.dataset.outcome)));
  }

  function choose(changes) {
    Object.assign(chosen, changes);
    byId("text").value = chosen.text;
    byId("kind").value = chosen.kind;
    byId("rule").value = chosen.rule;
    applyFilters();
  }

  function toggle(outcome) {
    if (!outcomes.delete(outcome)) outcomes.add(outcome);
    applyFilters();
  }

  function showAll() {
    for (const outcome of Object.keys(SIGNS)) outcomes.add(outcome);
    choose({ text: "", kind: "", rule: "" });
  }

  // From the overview: every step of a kind or rule, and the list to see them in.
  function showOnly(changes) {
    showAll();
    choose(changes);
    byId("main").classList.remove("open");
  }

  // ---- one step

  function parts(segments) {
    return segments.map((part) => (typeof part === "string" ? part : make("mark", "", part[0])));
  }

  function cell(side, segments, line) {
    if (segments === null) return make("div", "cell gap " + side);
    const element = make("div", "cell " + side, ...parts(segments));
    if (line) element.dataset.line = line;
    return element;
  }

  function rowElement(row, lines) {
    const equal = typeof row === "string";
    const [before, after, tone, rule] = equal ? [[row], [row], "", ""] : row;
    const oldLine = lines && before !== null ? ++lines.old : 0;
    const newLine = lines && after !== null ? ++lines.new : 0;
    const element = make("div", "row " + (equal ? "equal" : tone || "unmarked"));
    element.append(cell("old", before, oldLine), cell("new", after, newLine));
    if (rule) element.lastChild.prepend(make("span", "why", "ignored: ", ...ruleLinks(rule)));
    return element;
  }

  function ruleLinks(rules) {
    return rules.split(", ").flatMap((rule, index) => {
      const link = make("a", "", rule);
      link.href = "#rule-" + encodeURIComponent(rule);
      return index ? [", ", link] : [link];
    });
  }

  function addRows(box, rows, lines) {
    for (const row of rows) box.append(rowElement(row, lines));
  }

  function fold(box, rows, lines) {
    const at = { ...lines };
    if (lines) {
      lines.old += rows.length;
      lines.new += rows.length;
    }
    const button = make("button", "fold", "⋯ " + rows.length + " equal lines");
    button.type = "button";
    button.addEventListener("click", () => {
      const inside = document.createDocumentFragment();
      addRows(inside, rows, lines && at);
      const first = inside.firstChild;
      button.replaceWith(inside);
      first.tabIndex = -1;
      first.focus();
    });
    box.append(button);
  }

  function sectionElement(section) {
    const box = make("div", "rows" + (section.numbered ? " numbered" : ""));
    const lines = section.numbered ? { old: 0, new: 0 } : null;
    const rows = section.rows;
    for (let at = 0; at < rows.length;) {
      let end = at;
      while (end < rows.length && typeof rows[end] === "string") end++;
      const head = at === 0 ? 0 : CONTEXT;
      const tail = end === rows.length ? 0 : CONTEXT;
      // A text without any change stays open as far as it is short.
      const unchanged = at === 0 && end === rows.length;
      const keep = unchanged ? 40 : head;
      if (end - at > keep + tail + CONTEXT) {
        addRows(box, rows.slice(at, at + keep), lines);
        fold(box, rows.slice(at + keep, end - tail), lines);
        addRows(box, rows.slice(end - tail, end), lines);
      } else {
        addRows(box, rows.slice(at, end), lines);
      }
      if (end < rows.length) addRows(box, [rows[end]], lines);
      at = end + 1;
    }
    const title = make("h3", "", section.title, section.note ? make("small", "", section.note) : null);
    return make("section", "", title, box);
  }

  function value(text, label) {
    const element = make("td", text ? "" : "absent", text || "(nothing)");
    element.dataset.label = label;
    return element;
  }

  function findingRow(finding) {
    const tone = finding.rule ? "ignored" : "different";
    const rule = finding.rule ? ["ignored: ", ...ruleLinks(finding.rule)] : ["different"];
    const kind = make("td", "kind", finding.kind + " ", make("b", "", finding.where));
    return make("tr", "", kind, value(finding.old, sides[0] || "old"), value(finding.new, sides[sides.length - 1] || "new"),
      make("td", "rule", make("span", "pill " + tone, ...rule)));
  }

  function findingsTable(findings) {
    const head = make("tr", "", ...["what", sides[0] || "old", sides[sides.length - 1] || "new", ""].map((text) => {
      const cellOfHead = make("th", "", text);
      cellOfHead.scope = "col";
      return cellOfHead;
    }));
    const counted = findings.filter((finding) => !finding.rule);
    const ignored = findings.filter((finding) => finding.rule);
    return make("table", "table findings", make("thead", "", head), make("tbody", "", ...[...counted, ...ignored].map(findingRow)));
  }

  // ---- raw bytes, made when they are asked for

  function bytesOf(encoded) {
    return Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  }

  function isText(bytes) {
    if (bytes.some((byte) => byte < 9 || (byte > 13 && byte < 32) || byte === 127)) return false;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      return true;
    } catch {
      return false;
    }
  }

  // Line ends are shown, since on the wire they matter; what is not text shows as escapes.
  function textParts(bytes) {
    const text = isText(bytes) ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
      : Array.from(bytes, (byte) => (byte > 126 || (byte < 32 && byte !== 10 && byte !== 13) ? "\\x" + byte.toString(16).padStart(2, "0") : String.fromCharCode(byte))).join("");
    const shown = [];
    for (const line of text.split(/(?<=\n)/)) {
      const end = /\r?\n$/.exec(line);
      shown.push(escaped(end ? line.slice(0, end.index) : line));
      if (end) shown.push(make("i", "", end[0] === "\n" ? "\\n" : "\\r\\n"), "\n");
    }
    return shown;
  }

  function escaped(text) {
    return text.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
      (character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"));
  }

  function hexText(bytes, perLine) {
    const lines = [];
    for (let at = 0; at < bytes.length; at += perLine) {
      const piece = bytes.subarray(at, at + perLine);
      const hex = Array.from(piece, (byte) => byte.toString(16).padStart(2, "0"));
      const readable = Array.from(piece, (byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
      lines.push(at.toString(16).padStart(8, "0") + "  " + hex.join(" ").padEnd(perLine * 3 - 1) + "  |" + readable + "|");
    }
    return lines.join("\n");
  }

  function rawFigure(label, raw, perLine) {
    const all = bytesOf(raw.bytes);
    const bytes = all.subarray(0, WIDEST);
    const shown = make("pre", "");
    shown.tabIndex = 0;
    const change = make("button", "quiet");
    change.type = "button";
    let hex = false;
    const draw = () => {
      shown.className = hex ? "hex" : "";
      shown.replaceChildren(...(hex ? [hexText(bytes, perLine)] : textParts(bytes)));
      if (!raw.size) shown.append(make("i", "", "nothing"));
      if (raw.size > bytes.length) shown.append("\n", make("i", "", "… " + (raw.size - bytes.length).toLocaleString("en") + " more bytes; the JSON report has them all"));
      change.textContent = hex ? "Text" : "Hex";
    };
    change.addEventListener("click", () => { hex = !hex; draw(); });
    hex = !isText(bytes);
    draw();
    const size = raw.size.toLocaleString("en") + (raw.size === 1 ? " byte" : " bytes");
    return make("figure", "", make("figcaption", "", make("b", "", label), size, change), shown);
  }

  // Sides that gave the very same bytes are shown once.
  function rawAnswers(answers) {
    return answers.filter((answer) => !answer.like).map((answer) => {
      const same = answers.filter((other) => other.like === answer.side).map((other) => other.side);
      return [[answer.side, ...same].join(" = "), answer];
    });
  }

  function rawDetails(title, note, figures) {
    const box = make("details", "", make("summary", "", title, make("small", "", note)));
    box.addEventListener("toggle", () => {
      if (box.open && !box.querySelector(".raw")) box.append(make("div", "raw" + (figures.length > 1 ? " many" : ""), ...figures.map(([label, raw]) => rawFigure(label, raw, figures.length > 1 ? 8 : 16))));
    });
    return box;
  }

  // ---- panes

  function turnLink(label, title, place) {
    const link = make("a", "", label);
    link.href = place ? "#step-" + place.number : "#overview";
    link.title = title;
    link.setAttribute("aria-label", title);
    return link;
  }

  function neighbour(by) {
    const from = current === null ? -1 : places.get(current);
    const ahead = visible.filter((step) => (places.get(step.number) - from) * by > 0);
    return by > 0 ? ahead[0] : ahead[ahead.length - 1];
  }

  function stepPane(step) {
    const detail = read("data-" + step.number);
    const back = make("a", "back", "← Steps");
    back.href = "#";
    const turn = make("div", "turn", turnLink("↑", "Previous step (k)", neighbour(-1)), turnLink("↓", "Next step (j)", neighbour(1)));
    const sign = make("span", "sign " + step.outcome, SIGNS[step.outcome]);
    const from = step.origin.startsWith(step.sequence) ? "" : step.sequence;
    const meta = ["step " + step.number, from, step.origin, step.status, step.took].filter(Boolean).join(" · ");
    const sent = detail.request.map((piece) => piece.label).join(", ");
    return [
      back,
      make("div", "steps-head", make("h2", "", sign, step.name), turn),
      make("p", "muted", meta),
      step.outcome === "untested" ? make("p", "notice", "Untested, it failed alike on both sides: ", step.untested) : null,
      detail.findings.length ? make("h3", "", step.outcome === "different" ? "What differs" : "Differs but is ignored") : null,
      detail.findings.length ? findingsTable(detail.findings) : null,
      rawDetails("Request", sent, detail.request.map((piece) => [piece.label, piece])),
      rawDetails("Raw answers", detail.answers.map((answer) => answer.side).join(", "), rawAnswers(detail.answers)),
      make("div", "pair-head", make("span", "old", sides[0] || "old"), make("span", "new", sides[sides.length - 1] || "new")),
      ...detail.sections.map(sectionElement),
    ].filter((child) => child !== null);
  }

  function markCurrent(link) {
    for (const other of document.querySelectorAll(".list [aria-current]")) other.removeAttribute("aria-current");
    if (link) {
      link.setAttribute("aria-current", "true");
      link.scrollIntoView({ block: "nearest" });
    }
  }

  function open(step) {
    current = step.number;
    byId("step").replaceChildren(...stepPane(step));
    byId("step").hidden = false;
    byId("overview").hidden = true;
    byId("step").scrollTop = 0;
    markCurrent(step.item.firstChild);
  }

  function overview(rule) {
    current = null;
    byId("step").hidden = true;
    byId("overview").hidden = false;
    markCurrent(byId("to-overview"));
    for (const row of document.querySelectorAll("[data-row]")) {
      row.classList.toggle("lit", row.dataset.row === rule);
      if (row.dataset.row === rule) {
        row.focus({ preventScroll: true });
        row.scrollIntoView({ block: "center" });
      }
    }
  }

  let followed = null;

  // The browser tells of a new address later; keys pressed in quick succession must not wait for it.
  function visit(hash) {
    location.hash = hash;
    follow();
  }

  // The address after "#" says what is open, so that links, history and reloading work.
  function follow() {
    const hash = location.hash.slice(1);
    if (hash === followed) return;
    followed = hash;
    const step = hash.startsWith("step-") ? steps[places.get(Number(hash.slice(5)))] : undefined;
    byId("main").classList.toggle("open", hash !== "");
    if (step) open(step);
    else if (hash.startsWith("rule-")) overview(decodeURIComponent(hash.slice(5)));
    else overview();
    if (matchMedia("(max-width: 820px)").matches) scrollTo(0, 0);
  }

  // ---- keys

  function turnTheme() {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  }

  function go(by) {
    const step = neighbour(by);
    if (step) visit("#step-" + step.number);
    else if (by < 0) visit("#overview");
  }

  const KEYS = {
    j: () => go(1), k: () => go(-1), ArrowDown: () => go(1), ArrowUp: () => go(-1),
    1: () => toggle("different"), 2: () => toggle("ignored"), 3: () => toggle("same"), 4: () => toggle("untested"),
    "/": () => byId("text").select(), o: () => visit("#overview"), t: turnTheme, "?": () => byId("keys").showModal(),
    r: () => { const boxes = [...byId("step").querySelectorAll("details")]; const wanted = boxes.some((box) => !box.open); for (const box of boxes) box.open = wanted; },
    Escape: () => { if (byId("main").classList.contains("open")) visit(""); },
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
    const target = event.target;
    if (target.closest("input, select")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    // Arrows turn the steps only in the list; elsewhere they scroll.
    if (event.key.startsWith("Arrow") && !target.closest(".list")) return;
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
    if (event.key.startsWith("Arrow")) document.querySelector(".list [aria-current]")?.focus();
  });

  // ---- start

  steps.forEach((step, place) => {
    step.search = [step.name, step.sequence, step.origin, step.hint, step.text, ...step.kinds, ...step.rules].join(" ").toLowerCase();
    step.item = listEntry(step);
    places.set(step.number, place);
  });
  byId("steps").append(...steps.map((step) => step.item));
  fillSelect("kind", [...new Set(steps.flatMap((step) => step.kinds))].sort());
  fillSelect("rule", [...new Set(steps.flatMap((step) => step.rules))].sort());
  for (const button of buttons) button.addEventListener("click", () => toggle(button.dataset.outcome));
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("text").addEventListener("input", (event) => { chosen.text = event.target.value.trim().toLowerCase(); applyFilters(); });
  for (const id of ["kind", "rule"]) byId(id).addEventListener("change", (event) => choose({ [id]: event.target.value }));
  for (const link of document.querySelectorAll("[data-kind]")) link.addEventListener("click", () => showOnly({ kind: link.dataset.kind }));
  for (const link of document.querySelectorAll("[data-rule]")) link.addEventListener("click", () => showOnly({ rule: link.dataset.rule }));
  byId("reset").addEventListener("click", showAll);
  byId("theme").addEventListener("click", turnTheme);
  byId("help").addEventListener("click", () => byId("keys").showModal());
  addEventListener("hashchange", follow);
  // What counts comes first: the rest is one press away.
  if (steps.some((step) => step.outcome === "different")) for (const outcome of ["ignored", "same"]) outcomes.delete(outcome);
  applyFilters();
  follow();
})();
