// What scrolls can be reached with the keyboard, and only that; the two columns beside the text
// have names.
"use strict";

function makeReachable() {
    for (const each of document.querySelectorAll("pre, .table-wrapper")) {
        if (each.scrollWidth > each.clientWidth) {
            each.tabIndex = 0;
            each.setAttribute("role", "group");
            each.setAttribute("aria-label", each.matches("pre") ? "Code" : "Table");
        } else {
            each.removeAttribute("tabindex");
            each.removeAttribute("role");
            each.removeAttribute("aria-label");
        }
    }
}

document.addEventListener("DOMContentLoaded", () => {
    const names = { ".sidebar-drawer": "All pages", ".toc-drawer": "On this page" };
    for (const [selector, name] of Object.entries(names)) {
        document.querySelector(selector)?.setAttribute("aria-label", name);
    }
    makeReachable();
    addEventListener("resize", makeReachable);
});
