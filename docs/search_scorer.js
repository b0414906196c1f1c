// How the search orders what it finds: pages that tell how to do something come before decisions.
// A page with the words in its own title comes before one with them in the title of a section.
// Sphinx has the numbers below by default. An entry of the index shows its name, too: Sphinx would
// show the title of the page alone.
var Scorer = {
    objNameMatch: 11,
    objPartialMatch: 6,
    objPrio: { 0: 15, 1: 5, 2: -5 },
    objPrioDefault: 0,
    title: 15,
    partialTitle: 7,
    term: 5,
    partialTerm: 2,
    score(result) {
        const [page, title, anchor, , score, , kind] = result;
        if (kind === "index") result[1] = `${anchor.slice(1)} in ${title}`;
        const extra = { tutorial: 4, "how-to": 6, decisions: -6 };
        const words = new URLSearchParams(location.search).get("q") ?? "";
        const named = title.toLowerCase().includes(words.trim().toLowerCase()) ? 4 : 0;
        return score + named + (extra[page.split("/")[0]] ?? 0);
    },
};
