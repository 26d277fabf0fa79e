/* The page's manners: theme, menus, tips, keyboard, confirmation. Everything is asked for by data-*
   attributes, and every page works without this file. */
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (query, from = document) => [...from.querySelectorAll(query)];
  const typing = (el) => el.matches("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
  root.dataset.js = "";

  /* Theme: the cookie is read by the server, so the next page comes in the right colours at once. */
  const showTheme = () => {
    const now = root.dataset.theme || "auto";
    all("[data-theme-set]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.themeSet === now)));
  };
  const setTheme = (name) => {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${name}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    if (name === "auto") delete root.dataset.theme;
    else root.dataset.theme = name;
    showTheme();
  };

  /* Tips: one element that moves to whatever carries data-tip (or an SVG <title>). */
  let tip;
  const tipText = (el) => {
    const title = el.querySelector(":scope > title");
    if (title) {
      el.dataset.tip = title.textContent;
      el.setAttribute("aria-label", title.textContent);
      title.remove();
    }
    const drawing = el.closest("svg");
    const name = drawing && drawing.querySelector(":scope > title");
    if (name) {
      drawing.setAttribute("aria-label", name.textContent);
      name.remove();
    }
    return el.dataset.tip;
  };
  const hideTip = () => {
    if (tip) tip.hidden = true;
  };
  const showTip = (el) => {
    const text = tipText(el);
    if (!text) return;
    if (!tip) {
      tip = document.createElement("div");
      tip.className = "tip";
      tip.setAttribute("aria-hidden", "true");
    }
    (el.closest("dialog[open]") || document.body).append(tip);
    tip.textContent = text;
    tip.hidden = false;
    const at = el.getBoundingClientRect();
    const box = tip.getBoundingClientRect();
    const left = Math.min(Math.max(8, at.left + at.width / 2 - box.width / 2), root.clientWidth - box.width - 8);
    const above = Math.max(at.top, 0) - box.height - 6;
    const top = above > 8 ? above : Math.min(at.bottom + 6, window.innerHeight - box.height - 8);
    tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  };

  /* Charts are one stop of the Tab key; arrows walk from point to point. */
  const walkChart = (event, hit) => {
    const hits = all("[data-tip]", hit.closest("[data-walk]"));
    const to = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    const next = event.key === "Home" ? hits[0] : event.key === "End" ? hits.at(-1) : to && hits[hits.indexOf(hit) + to];
    if (!next) return;
    event.preventDefault();
    hits.forEach((one) => one.setAttribute("tabindex", one === next ? "0" : "-1"));
    next.focus();
  };

  /* Confirmation: one dialog for forms, links and htmx requests that carry data-confirm. */
  const busy = (button, on) => {
    button.toggleAttribute("data-busy", on);
    if (on) button.setAttribute("aria-busy", "true");
    else button.removeAttribute("aria-busy");
  };
  const confirmed = new WeakSet();
  const ask = (el, go) => {
    const dialog = document.getElementById("confirm");
    if (!dialog || !dialog.showModal) return window.confirm(el.dataset.confirm) ? go() : undefined;
    dialog.querySelector("[data-confirm-text]").textContent = el.dataset.confirm;
    dialog.querySelector("[data-confirm-yes]").textContent = el.dataset.confirmYes || dialog.dataset.yes;
    dialog.returnValue = "";
    dialog.addEventListener("close", () => dialog.returnValue === "yes" && go(), { once: true });
    dialog.showModal();
    return undefined;
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const button = event.submitter;
    const asker = [button, form].find((el) => el && el.dataset.confirm);
    if (asker && !confirmed.has(form)) {
      event.preventDefault();
      event.stopPropagation();
      ask(asker, () => {
        confirmed.add(form);
        form.requestSubmit(button || undefined);
      });
      return;
    }
    confirmed.delete(form);
    if (form.method === "post" && button) setTimeout(() => busy(button, true));
  }, true);
  document.addEventListener("htmx:confirm", (event) => {
    const el = event.target;
    if (!el.dataset.confirm || el.matches("form")) return;
    event.preventDefault();
    ask(el, () => event.detail.issueRequest(true));
  });
  const free = () => all("[data-busy]").forEach((button) => busy(button, false));
  document.addEventListener("htmx:afterRequest", free);
  window.addEventListener("pageshow", free);

  /* Toasts: the server sends HX-Trigger: {"toast": "text"}. */
  document.addEventListener("toast", (event) => {
    const model = document.getElementById("toast-model");
    if (!model) return;
    const toast = model.content.firstElementChild.cloneNode(true);
    toast.querySelector("[data-toast-text]").textContent = event.detail.value || event.detail;
    document.getElementById("toasts").append(toast);
    setTimeout(() => toast.matches(":hover, :focus-within") || toast.remove(), 8000);
  });

  /* Timers: <time data-since="ISO" data-soon="60" data-late="120"> counts up, turns amber, and red when late. */
  const tick = () => all("[data-since]").forEach((el) => {
    const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(el.dataset.since)) / 1000));
    const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    el.textContent = `${h ? `${h}:${String(m).padStart(2, "0")}` : m}:${String(s).padStart(2, "0")}`;
    el.classList.toggle("is-soon", seconds >= Number(el.dataset.soon || Infinity));
    el.classList.toggle("is-late", seconds >= Number(el.dataset.late || Infinity));
  });
  setInterval(tick, 1000);

  document.addEventListener("click", (event) => {
    const on = (query) => event.target.closest(query);
    const theme = on("[data-theme-set]");
    if (theme) setTheme(theme.dataset.themeSet);
    const opener = on("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
    if (on("[data-dialog-close]")) on("dialog")?.close(on("[data-dialog-close]").value || "");
    if (event.target.matches("dialog")) event.target.close();
    on("[data-dismiss]")?.closest("[data-dismissable]")?.remove();
    if (on("[data-print]")) window.print();
    const link = on("a[data-confirm]");
    if (link && !link.hasAttribute("hx-get")) {
      event.preventDefault();
      ask(link, () => location.assign(link.href));
    }
    all("details.menu[open]").forEach((menu) => menu.contains(event.target) || menu.removeAttribute("open"));
    all("[data-hushed]").forEach((hint) => delete hint.dataset.hushed);
    const tipped = on("[data-tip]");
    if (tipped) showTip(tipped);
  });

  document.addEventListener("change", (event) => {
    if (event.target.closest("[data-autosubmit]")) event.target.form?.requestSubmit();
  });
  document.addEventListener("pointerover", (event) => {
    const el = event.target.closest?.("[data-tip]");
    if (el) showTip(el);
    else hideTip();
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-tip]")) showTip(event.target);
  });
  document.addEventListener("focusout", hideTip);
  document.addEventListener("scroll", hideTip, { passive: true, capture: true });

  const escape = (el) => {
    hideTip();
    all(".hint:hover, .hint:focus-within").forEach((hint) => (hint.dataset.hushed = ""));
    const menu = all("details.menu[open]").at(-1);
    if (menu) {
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
    } else if (el.matches("[data-search]")) {
      el.value = "";
      el.dispatchEvent(new Event("input", { bubbles: true }));
      el.blur();
    }
  };

  /* Rows that can be worked with the keyboard: arrows or j/k move, a letter presses the button that
     carries it. Keys are told by their place on the board, so they work in the Russian layout too. */
  const workRow = (event, el) => {
    const row = el.closest("[data-row]");
    const step = { ArrowDown: 1, KeyJ: 1, ArrowUp: -1, KeyK: -1 }[event.code];
    const rows = all("[data-row]");
    if (step && rows.length && (row || event.code === "KeyJ")) {
      event.preventDefault();
      (rows[row ? rows.indexOf(row) + step : 0] || row).focus();
      return;
    }
    const scope = row || document.querySelector("[data-keys]");
    const target = scope && all("[data-key]", scope).find((one) => event.code === `Key${one.dataset.key.toUpperCase()}`);
    if (target) {
      event.preventDefault();
      target.click();
    }
  };

  document.addEventListener("keydown", (event) => {
    const el = event.target;
    if (event.key === "Escape") escape(el);
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (el.closest?.("[data-walk]") && el.matches("[data-tip]")) walkChart(event, el);
    if (typing(el)) return;
    if (event.key === "/" || (event.code === "Slash" && !event.shiftKey)) {
      const search = document.querySelector("[data-search]");
      if (!search) return;
      event.preventDefault();
      search.focus();
      search.select();
    } else workRow(event, el);
  });

  document.addEventListener("htmx:afterSwap", showTheme);
  document.addEventListener("DOMContentLoaded", () => {
    showTheme();
    tick();
  });
})();
