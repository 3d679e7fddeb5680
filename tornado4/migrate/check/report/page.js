"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const text = find("text"), rule = find("rule"), certainty = find("certainty"), shown = find("shown");
  const findings = [...document.querySelectorAll(".finding")].map((element) => ({
    element, rule: element.dataset.rule, certainty: element.dataset.certainty,
    words: (element.closest(".file").querySelector("summary").textContent + " " + element.textContent).toLowerCase(),
  }));
  const files = [...document.querySelectorAll(".file")];

  const apply = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const finding of findings) {
      const fits = (!rule.value || finding.rule === rule.value)
        && (!certainty.value || finding.certainty === certainty.value)
        && words.every((word) => finding.words.includes(word));
      finding.element.hidden = !fits;
      count += fits;
    }
    for (const file of files) file.hidden = !file.querySelector(".finding:not([hidden])");
    shown.textContent = count === findings.length ? "" : `${count} of ${findings.length} shown`;
  };

  find("filters").addEventListener("input", apply);
  find("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const button of document.querySelectorAll("[data-rule].link")) {
    button.addEventListener("click", () => {
      rule.value = rule.value === button.dataset.rule ? "" : button.dataset.rule;
      apply();
    });
  }
})();
