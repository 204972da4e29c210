/** What the server says beyond the Language Server Protocol. Ranges and positions are UTF-16. */

export type StatusKind = "ready" | "loading" | "busy" | "off" | "error";

/** Parameters of `dcomplete/status`. `reason` is one of the values of `dcomplete.errors.Reason`. */
export interface ServerStatus {
  kind: StatusKind;
  reason?: string | null;
  message?: string;
  model?: string;
}

/** One cell of the canvas; `text` is null while it is masked. */
export interface Cell {
  text: string | null;
  pinned: boolean;
}

/** Progress of `dcomplete/watch`: the canvas after a denoise step, one row per candidate. */
export interface DenoiseStep {
  step: number;
  rows: Cell[][];
}

export interface Place {
  line: number;
  character: number;
}

export interface Span {
  start: Place;
  end: Place;
}

/** An inline completion item as the server sends it. The command's first argument is its id. */
export interface Item {
  insertText: string;
  filterText?: string | null;
  range?: Span | null;
  command?: { title: string; command: string; arguments?: unknown[] } | null;
}

/** Parameters of the custom requests: those of `textDocument/inlineCompletion`, by the person. */
export interface Ask {
  textDocument: { uri: string; version: number };
  position: Place;
  context: { triggerKind: 1 };
  formattingOptions: Formatting;
}

export interface Formatting {
  tabSize: number;
  insertSpaces: boolean;
}

export interface Contestant {
  model?: string;
  policy?: string;
}

/** Answer of `dcomplete/compare`: an item each, in random order; null where there was none. */
export interface Comparison {
  id: string;
  items: (Item | null)[];
}

export type Choice = "first" | "second" | "tie" | "neither";

/** Answer of `dcomplete/vote`: who was who. */
export interface Names {
  first: Contestant;
  second: Contestant;
}
