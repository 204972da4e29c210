// Two suggestions side by side without names; the names come after the vote.
(() => {
  const vscode = acquireVsCodeApi();
  const main = document.querySelector("main");
  const keys = { 1: "first", 2: "second", 3: "tie", 0: "neither" };
  let open = false;

  function add(parent, tag, className = "", text = "") {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.textContent = text;
    parent.append(element);
    return element;
  }

  function vote(value) {
    if (!open) return;
    open = false;
    for (const element of document.querySelectorAll("button")) element.disabled = true;
    vscode.postMessage({ type: "vote", value });
  }

  function column(pair, id, title, { before, after, text }) {
    const section = add(pair, "section");
    section.id = id;
    add(section, "h2", "", title);
    const code = add(section, "pre");
    add(code, "span", "around", before);
    add(code, "span", text === null ? "note" : "text", text ?? "(nothing)");
    add(code, "span", "around", after);
  }

  function begin({ first, second }) {
    main.replaceChildren();
    add(main, "p", "note", "Which one would you take? Who wrote which is told after your vote.");
    const pair = add(main, "div", "pair");
    column(pair, "first", "First", first);
    column(pair, "second", "Second", second);
    const labels = { first: "First", second: "Second", tie: "Equally good", neither: "Neither" };
    for (const [key, value] of [
      ["1", "first"],
      ["2", "second"],
      ["3", "tie"],
      ["0", "neither"],
    ]) {
      const element = add(main, "button", "", `${labels[value]} (Alt+${key})`);
      element.addEventListener("click", () => vote(value));
    }
    open = true;
  }

  function names(data) {
    open = false;
    for (const element of document.querySelectorAll("button")) element.disabled = true;
    for (const id of ["first", "second"]) {
      const heading = document.querySelector(`#${id} h2`);
      if (heading) heading.textContent += `: ${data[id]}`;
    }
    const said = { first: "First", second: "Second", tie: "Equally good", neither: "Neither" };
    const note = add(main, "p", "note", `Your vote: ${said[data.choice]}.`);
    note.setAttribute("role", "status");
  }

  addEventListener("message", ({ data }) => {
    if (data.type === "begin") begin(data);
    if (data.type === "names") names(data);
  });
  addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (keys[event.key]) vote(keys[event.key]);
  });
  vscode.postMessage({ type: "listening" });
})();
