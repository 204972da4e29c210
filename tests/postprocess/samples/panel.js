// A panel that shows what the model writes while it writes it.
import { EventEmitter } from "node:events";

const SIGNS = /[(){}\[\]'"`]/g;
const MASK = "\u2591";

export class Panel extends EventEmitter {
  #rows = new Map();

  constructor({ width = 80, height = 24, theme = "dark" } = {}) {
    super();
    this.width = width;
    this.height = height;
    this.theme = theme;
  }

  show(id, cells) {
    const text = cells.map((cell) => cell.text ?? MASK).join("");
    if (this.#rows.get(id) === text) {
      return false;
    }
    this.#rows.set(id, text);
    this.emit("change", { id, text, masked: cells.filter((c) => !c.text).length });
    return true;
  }

  async play(steps, { delay = 40, signal } = {}) {
    for (const [number, cells] of steps.entries()) {
      if (signal?.aborted) {
        throw new Error(`stopped at step ${number} (of ${steps.length})`);
      } else if (number > 0) {
        await new Promise((resolve) => setTimeout(resolve, delay));
      }
      this.show("main", cells);
    }
  }

  html() {
    const rows = [...this.#rows].map(([id, text]) => {
      const safe = text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
      return `<p id="${id}">${safe.replace(SIGNS, "<b>$&</b>")}</p>`;
    });
    return ["<section>", ...rows, "</section>"].join("\n");
  }
}

export function connect(panel, source) {
  const stop = source.subscribe({
    next(event) {
      switch (event.kind) {
        case "step":
          panel.show(event.id, event.cells);
          break;
        case "done":
          panel.emit("done", { id: event.id, steps: event.steps });
          break;
        default:
          console.warn("it's unknown:", event.kind);
      }
    },
    error: (problem) => panel.emit("error", problem),
  });
  panel.once("close", () => {
    stop();
    panel.removeAllListeners();
  });
  return {
    panel,
    stop,
    paused: false,
  };
}
