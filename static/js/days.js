/* Fields of days: the month opens under the field (its button, or arrow down), arrows walk the days, Enter takes one. */
(() => {
  "use strict";
  const all = (query, from = document) => [...from.querySelectorAll(query)];
  const inputOf = (el) => el.closest(".day-input").querySelector("input");

  /* The month of what stands in the field; the day itself stays here: it may be somebody's birthday. */
  const monthOf = (text) => {
    const found = /^\s*\d{1,2}\.(\d{1,2})\.(\d{4})\s*$/.exec(text);
    return found ? `?month=${found[2]}-${found[1].padStart(2, "0")}` : "";
  };
  const load = (pick) => {
    const body = pick.querySelector("[data-month]");
    const address = body.dataset.month + monthOf(inputOf(pick).value);
    window.htmx?.ajax("GET", address, { target: body, swap: "innerHTML" }).then(() => (pick.open ? focusDay(body) : body.replaceChildren()));
  };
  const focusDay = (body) => {
    const value = inputOf(body).value.trim();
    const days = all("[data-day-value]", body);
    days.forEach((day) => day.setAttribute("aria-pressed", String(day.dataset.dayValue === value)));
    const inside = body.contains(document.activeElement) || document.activeElement === inputOf(body);
    const best = days.find((day) => day.dataset.dayValue === value) || days.find((day) => day.getAttribute("aria-current"))
      || days.find((day) => !day.classList.contains("is-other"));
    if (inside || document.activeElement.matches("body, summary")) best?.focus();
  };
  document.addEventListener("toggle", (event) => {
    const pick = event.target;
    if (!pick.matches?.(".day-pick")) return;
    if (pick.open) load(pick);
    else pick.querySelector("[data-month]").replaceChildren();
  }, true);
  document.addEventListener("htmx:afterSettle", (event) => {
    const body = event.target;
    if (!body.matches?.("[data-month]")) return;
    const value = inputOf(body).value.trim();
    all("[data-day-value]", body).forEach((day) => day.setAttribute("aria-pressed", String(day.dataset.dayValue === value)));
  });

  document.addEventListener("click", (event) => {
    const day = event.target.closest("[data-day-value]");
    if (!day) return;
    const input = inputOf(day);
    input.value = day.dataset.dayValue;
    day.closest("details").removeAttribute("open");
    input.focus();
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  const walk = (event, day) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
    if (!step) return;
    event.preventDefault();
    const days = all("[data-day-value]", day.closest(".month"));
    const next = days[days.indexOf(day) + step];
    if (next) next.focus();
    else document.getElementById(step < 0 ? "month-before" : "month-after").click();
  };
  document.addEventListener("keydown", (event) => {
    const el = event.target;
    if (el.matches?.("[data-day-value]")) walk(event, el);
    const pick = el.closest?.(".day-input")?.querySelector(".day-pick");
    if (!pick) return;
    if (event.key === "ArrowDown" && el.matches("input") && !pick.open) {
      event.preventDefault();
      pick.setAttribute("open", "");
    } else if (event.key === "Escape" && pick.open) {
      event.stopPropagation();
      pick.removeAttribute("open");
      inputOf(pick).focus();
    }
  }, true);
})();
