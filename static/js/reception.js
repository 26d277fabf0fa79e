/* Manners of the desk: sums while typing, a new line when the last is filled, Ctrl+Enter, focus where one was. */
(() => {
  "use strict";
  const all = (query, from = document) => [...from.querySelectorAll(query)];

  /* Money as people type it -> kopecks; null when it is no sum. */
  const minor = (text) => {
    const clean = text.replace(/[\s\u00a0]/g, "").replace(",", ".");
    return /^\d+(\.\d{1,2})?$/.test(clean) ? Math.round(Number(clean) * 100) : null;
  };
  const written = (kopecks) => (kopecks / 100).toFixed(kopecks % 100 ? 2 : 0).replace(".", ",").replace(/\B(?=(\d{3})+(?!\d))/g, "\u00a0");
  const priceOf = (name) => {
    const option = all("#services option").find((one) => one.value === name);
    return option ? Number(option.dataset.price) : null;
  };

  const lineSum = (line) => {
    const name = line.querySelector("[data-service]").value.trim();
    if (!name) return 0;
    const own = minor(line.querySelector("[name$=-amount]").value);
    const known = Number(line.dataset.price || "");
    const quantity = Number(line.querySelector("[name$=-quantity]").value) || 1;
    return own === null ? known * quantity : own;
  };
  const showSum = () => {
    const place = document.querySelector("[data-sum]");
    if (!place) return;
    const total = all("[data-line]").reduce((sum, line) => sum + lineSum(line), 0);
    place.textContent = written(total);
    const paid = document.querySelector("[name=paid]");
    if (paid) paid.placeholder = written(total);
  };

  const addLine = () => {
    const model = document.querySelector("[data-line-model]");
    const count = document.querySelector("[name=items-TOTAL_FORMS]");
    if (!model || Number(count.value) >= 30) return;
    const holder = document.createElement("template");
    holder.innerHTML = model.innerHTML.replaceAll("__prefix__", count.value);
    model.before(holder.content);
    count.value = Number(count.value) + 1;
    window.htmx?.process(model.previousElementSibling);
  };
  const chosen = (input) => {
    const line = input.closest("[data-line]");
    const price = priceOf(input.value.trim());
    if (price !== null) {
      line.dataset.price = price;
      line.querySelector("[name$=-amount]").placeholder = written(price);
    }
    if (input.value && line === all("[data-line]").at(-1)) addLine();
    showSum();
  };

  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-service]")) chosen(event.target);
    else if (event.target.closest("[data-line]")) showSum();
  });
  document.addEventListener("htmx:afterSwap", () => all("[data-service]").filter((one) => one.value).forEach(chosen));

  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.("form[data-ctrl-enter]");
    if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
    const hits = event.target.closest?.(".find")?.querySelector(".find-results");
    if (hits && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      const links = all("a", hits);
      const next = links[links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
      if (next) {
        event.preventDefault();
        next.focus();
      }
    }
    if (hits && event.key === "Escape") hits.replaceChildren();
  });
  document.addEventListener("click", (event) => {
    const results = document.getElementById("find-results");
    if (results && !event.target.closest(".find")) results.replaceChildren();
  });

  /* A form is sent once: a second click while the first is on its way does nothing. */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-once]") || event.defaultPrevented) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => all("[data-once]").forEach((form) => delete form.dataset.sent));

  document.addEventListener("DOMContentLoaded", () => {
    const row = document.getElementById(location.hash.slice(1));
    if (row?.matches("[data-row]")) row.focus();
    const fault = document.querySelector("[data-faults]");
    if (fault) fault.focus();
    all("[data-service]").filter((one) => one.value).forEach(chosen);
    showSum();
  });
})();
