// Draws the canvas after each denoise step; a slider goes back to earlier ones.
(() => {
  const vscode = acquireVsCodeApi();
  const MASK = "\u2591";
  const main = document.querySelector("main");
  const note = add(main, "p", "note");
  note.setAttribute("role", "status");
  const code = add(main, "pre");
  const slider = add(main, "input");
  slider.type = "range";
  slider.min = "0";
  slider.setAttribute("aria-label", "Denoise step");
  slider.addEventListener("input", () => draw());
  const insert = button("Insert", "insert");
  const again = button("Again", "again");

  let around = { before: "", after: "" };
  let steps = [];
  let final;

  function add(parent, tag, className = "", text = "") {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.textContent = text;
    parent.append(element);
    return element;
  }

  function button(label, type) {
    const element = add(main, "button", "", label);
    element.addEventListener("click", () => vscode.postMessage({ type }));
    return element;
  }

  function drawRow(row, before) {
    row.forEach((cell, index) => {
      const masked = cell.text === null;
      const fresh = !masked && before?.[index] !== undefined && before[index].text === null;
      add(code, "span", masked ? "mask" : fresh ? "fresh" : "text", masked ? MASK : cell.text);
    });
  }

  function draw() {
    const at = Number(slider.value);
    const last = final !== undefined && at === steps.length;
    code.replaceChildren();
    add(code, "span", "around", around.before);
    if (last) {
      add(code, "span", "text", final);
    } else {
      const rows = steps[at]?.rows ?? [];
      rows.forEach((row, index) => {
        if (index > 0) add(code, "span", "around", "\n\u2014\n");
        drawRow(row, steps[at - 1]?.rows[index]);
      });
    }
    add(code, "span", "around", around.after);
    const step = steps[at];
    if (last) note.textContent = `Done after ${steps.length} steps.`;
    else if (step)
      note.textContent = `Step ${step.step}: ${step.decided} of ${step.cells} tokens decided.`;
    else note.textContent = "Reading the context.";
  }

  function toEnd() {
    slider.max = String(Math.max(0, steps.length - (final === undefined ? 1 : 0)));
    slider.value = slider.max;
    insert.disabled = again.disabled = final === undefined;
    draw();
  }

  addEventListener("message", ({ data }) => {
    if (data.type === "begin") {
      around = data;
      steps = [];
      final = undefined;
    } else if (data.type === "step") {
      steps.push(data);
    } else if (data.type === "done") {
      around = data;
      final = data.text;
    }
    toEnd();
    if (data.type === "nothing") note.textContent = data.message;
  });
  toEnd();
  vscode.postMessage({ type: "listening" });
})();
