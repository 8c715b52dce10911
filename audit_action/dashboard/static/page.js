// What a script makes better: how long ago, "/" for the search, copying SQL. Every page works without it.
"use strict";
{
  const units = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]];
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const time of document.querySelectorAll("time[datetime]")) {
    const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
    const [unit, length] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
    if (Math.abs(seconds) < 45 * 86400) {
      const ago = document.createElement("span");
      ago.className = "ago";
      ago.textContent = ` · ${words.format(Math.round(seconds / length), unit)}`;
      time.append(ago);
    }
  }

  document.addEventListener("keydown", (event) => {
    const search = document.querySelector("[data-focus]");
    if (event.key === "/" && search && !event.target.closest("input, select, textarea")) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  });

  if (navigator.clipboard) {
    for (const block of document.querySelectorAll("pre.sql")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(block.querySelector("code").textContent);
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      });
      block.append(button);
    }
  }

  // An empty field says nothing in an address.
  for (const form of document.querySelectorAll("form.search")) {
    form.addEventListener("submit", () => {
      for (const field of form.elements) {
        if (field.name && !field.value) field.disabled = true;
      }
    });
    window.addEventListener("pageshow", () => {
      for (const field of form.elements) field.disabled = false;
    });
  }
}
