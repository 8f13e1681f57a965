"use strict";
(() => {
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const form = one(".search"), query = one("#query"), show = one("#show"), hits = one("#hits");
  const products = all("main > .product").map((section) => ({
    section,
    name: one("header", section).textContent,
    link: one(`nav a[href="#${section.id}"]`),
    events: all(".event", section).map((group) => ({
      group,
      name: one("h3", group).textContent,
      cards: all(".rule", group),
    })),
  }));
  const cards = all(".rule");
  const total = cards.filter((card) => card.id).length;
  const number = new Intl.NumberFormat("en");

  // Accents and case do not matter: "acao" finds "Ação".
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase();
  let texts = null;
  const textOf = (card) => {
    texts ??= new Map(products.flatMap(({ name, events }) => events.flatMap((event) =>
      event.cards.map((each) => [each, plain([name, event.name, each.textContent].join(" "))]))));
    return texts.get(card);
  };

  const count = (found) => {
    const of = found === null ? "" : `${number.format(found)} of `;
    hits.textContent = `${of}${number.format(total)} ${total === 1 ? "rule" : "rules"}`;
  };
  const update = () => {
    const words = plain(query.value).split(/\s+/).filter(Boolean);
    const fits = (card) => (!show.value || card.classList.contains(show.value))
      && words.every((word) => textOf(card).includes(word));
    const everything = !words.length && !show.value;
    let found = 0;
    for (const { section, link, events } of products) {
      let ofProduct = 0, shown = false;
      for (const { group, cards: ofEvent } of events) {
        let visible = false;
        for (const card of ofEvent) {
          card.hidden = !(everything || fits(card));
          visible ||= !card.hidden;
          ofProduct += card.id && !card.hidden ? 1 : 0;
          card.parentElement.hidden = card.hidden;
        }
        group.hidden = !visible;
        shown ||= visible;
      }
      section.hidden = !(shown || everything);
      link.parentElement.hidden = section.hidden;
      one(".count", link).textContent = number.format(ofProduct);
      found += ofProduct;
    }
    one("#other").hidden = !everything;
    one("#none").hidden = everything || products.some(({ section }) => !section.hidden);
    count(everything ? null : found);
  };

  let waiting = 0;
  const later = () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(update);
  };
  // Rules that are laid out in the next frames move this one, so the page scrolls again. The next
  // key would stop a smooth scroll halfway, and the rule would stay out of sight.
  const keepInSight = (card, frames) => {
    card.scrollIntoView({ block: "nearest", behavior: "instant" });
    requestAnimationFrame(() => {
      if (frames > 0 && document.activeElement === card) keepInSight(card, frames - 1);
    });
  };
  const go = (from, step) => {
    let n = from + step;
    while (cards[n]?.hidden) n += step;
    cards[n]?.focus({ preventScroll: true });
    if (cards[n]) keepInSight(cards[n], 3);
    return cards[n];
  };
  const back = () => {
    query.focus();
    query.select();
  };

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  query.addEventListener("input", later);
  show.addEventListener("change", later);
  query.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      update();
      go(-1, 1);
    } else if (event.key === "Escape") {
      query.value = "";
      update();
    }
  });
  one("main").addEventListener("keydown", (event) => {
    const card = event.target.closest(".rule");
    if (!card || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.key === "Escape") back();
    else if (event.key === "ArrowDown") go(cards.indexOf(card), 1);
    else if (event.key === "ArrowUp") go(cards.indexOf(card), -1) ?? back();
    else return;
    event.preventDefault();
  });

  // A link to what the search hides shows everything again, before the browser follows it.
  document.addEventListener("click", (event) => {
    const target = document.getElementById(event.target.closest?.('a[href^="#"]')?.hash.slice(1) ?? "");
    if (!target?.closest("[hidden]")) return;
    query.value = show.value = "";
    update();
  });
  count(null);
})();
