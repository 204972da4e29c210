// What the tests add to VS Code's own page. `watchPage` is sent there as text: it may use nothing else.

/** Runs in the page: watches the status bar item, the grey text and the keys with one clock. */
export function watchPage({ ghost, status }) {
  const here = {
    said: [],
    events: [],
    ghost() {
      // Its first line stands in the text, the others in a zone of their own, which the page has first.
      const own = [...document.querySelectorAll(`.editor-instance ${ghost}`)];
      const inText = own.filter((element) => element.closest(".view-lines") !== null);
      const below = own.filter((element) => !inText.includes(element));
      const rows = new Set(below.map((element) => element.closest(".view-line") ?? element));
      const first = inText.map((element) => element.textContent).join("");
      const lines = [first, ...[...rows].map((row) => row.textContent)];
      return lines.join("\n").replaceAll("\u00a0", " ");
    },
    status() {
      const item = document.querySelector(status);
      const label = item?.querySelector("a")?.getAttribute("aria-label") ?? "";
      return `${item?.textContent ?? ""} | ${label}`;
    },
    lines() {
      const group = ".editor-group-container.active .editor-instance .monaco-editor";
      const editors = [
        ...document.querySelectorAll(`${group}.focused`),
        ...document.querySelectorAll(group),
      ];
      const own = ".lines-content .view-lines > .view-line"; // grey lines lie elsewhere
      const rows = [...(editors[0]?.querySelectorAll(own) ?? [])];
      rows.sort((a, b) => Number.parseInt(a.style.top, 10) - Number.parseInt(b.style.top, 10));
      return rows.map((row) => {
        const copy = row.cloneNode(true);
        for (const grey of copy.querySelectorAll(ghost)) grey.remove();
        return copy.textContent.replaceAll("\u00a0", " ");
      });
    },
  };
  globalThis.dcomplete = here;
  const look = () => {
    const now = here.status();
    if (here.said.at(-1) !== now) here.said.push(now);
  };
  look();
  new MutationObserver(look).observe(document.querySelector(".part.statusbar"), {
    subtree: true,
    childList: true,
    attributes: true,
    characterData: true,
  });
  let last = "";
  new MutationObserver(() => {
    const now = here.ghost();
    if (now !== last) here.events.push({ at: performance.now(), ghost: now !== "" });
    last = now;
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
  const key = (event) => here.events.push({ at: performance.now(), key: event.key });
  addEventListener("keydown", key, { capture: true });
}
