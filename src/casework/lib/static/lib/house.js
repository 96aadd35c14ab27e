// The keys of the house: "/" or Ctrl+K go to the search, unless somebody is typing; htmx is told what a redirect is.
"use strict";

(function () {
  const typing = (element) =>
    element !== null && (element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName));

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const slash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey;
    const command = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    if (!slash && !command) return;
    if (slash && typing(document.activeElement)) return;
    const finder = document.getElementById("finder");
    if (finder === null) return;
    event.preventDefault();
    finder.focus();
    finder.select();
  });

  // A list of faults takes the focus, so that a screen reader begins there.
  document.addEventListener("DOMContentLoaded", () => {
    const faults = document.querySelector(".faults");
    if (faults !== null) faults.focus();
  });
})();
