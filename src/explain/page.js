"use strict";
// What carries the same mark is lit together: an operand of a snippet on the whole page, variables and places in their
// function.
(() => {
  let lit = [];
  const light = (within, attribute, value) => {
    for (const element of within.querySelectorAll(`[${attribute}="${CSS.escape(value)}"]`)) {
      element.classList.add("lit");
      lit.push(element);
    }
  };
  document.addEventListener("mouseover", (event) => {
    lit.forEach((element) => element.classList.remove("lit"));
    lit = [];
    const at = event.target.closest("[data-v], [data-p], [data-o]");
    if (!at) return;
    const section = at.closest("section");
    if (!section) return;
    if (at.dataset.o !== undefined) light(document, "data-o", at.dataset.o);
    if (at.dataset.v !== undefined) light(section, "data-v", at.dataset.v);
    else if (at.dataset.p !== undefined) light(section, "data-p", at.dataset.p);
  });
  const dim = document.getElementById("only-body");
  dim.addEventListener("change", () => document.body.classList.toggle("only-body", dim.checked));
})();
