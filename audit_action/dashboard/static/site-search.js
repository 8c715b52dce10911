// The search of the static site: over data that came as a script, because a file may load nothing else.
"use strict";
{
  const form = document.querySelector("[data-site-search]");
  const results = document.querySelector(".results");
  const timeline = document.querySelector(".timeline");
  const words = form.querySelector("#q");
  const manual = form.querySelector("#manual");
  const most = 200;
  const rows = window.TRAIL.map((row) => ({
    ...row,
    text: [row.title, ...row.people, ...row.said, row.sql].join("\n").toLowerCase(),
  }));

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const shown = (row) => {
    const card = element("article", row.manual ? "entry manual" : "entry run");
    const head = element("header");
    const heading = element("h2");
    const link = element("a", "", row.title);
    link.href = row.href;
    heading.append(link);
    head.append(heading, element("time", "", `${row.time.slice(0, 10)} ${row.time.slice(11, 16)} UTC`));
    card.append(head);
    if (row.people.length) card.append(element("p", "facts", row.people.join(", ")));
    const list = element("ul", "commands");
    for (const said of row.said.slice(0, 6)) list.append(element("li", "command", said));
    card.append(list);
    return card;
  };

  const search = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const asked = wanted.length > 0 || manual.checked;
    timeline.hidden = asked;
    results.hidden = !asked;
    results.replaceChildren();
    if (!asked) return;
    const found = rows.filter((row) => (!manual.checked || row.manual) && wanted.every((word) => row.text.includes(word)));
    const more = found.length > most ? `, of which the newest ${most} are shown` : "";
    results.append(element("p", "found", `${found.length} found${more}`), ...found.slice(0, most).map(shown));
  };

  const fromAddress = () => {
    if (location.hash === "#manual") manual.checked = true;
    search();
  };

  form.hidden = false;
  form.addEventListener("input", search);
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", fromAddress);
  fromAddress();
}
