/** As much of "vscode" as the tests of sessions, panels and suggestions need; `scripts/test.mjs` puts it in its place. */

type Listener = (value?: unknown) => void;

export class EventEmitter {
  private readonly listeners = new Set<Listener>();
  readonly event = (listener: Listener) => {
    this.listeners.add(listener);
    return { dispose: () => this.listeners.delete(listener) };
  };
  fire(value?: unknown): void {
    for (const listener of [...this.listeners]) listener(value);
  }
  dispose(): void {
    this.listeners.clear();
  }
}

export class Position {
  constructor(
    readonly line: number,
    readonly character: number,
  ) {}
  isEqual({ line, character }: Position): boolean {
    return this.line === line && this.character === character;
  }
  isBefore({ line, character }: Position): boolean {
    return this.line < line || (this.line === line && this.character < character);
  }
}

export class Range {
  readonly start: Position;
  readonly end: Position;
  constructor(...given: [Position, Position] | [number, number, number, number]) {
    const [a, b, c, d] = given;
    this.start = a instanceof Position ? a : new Position(a, b as number);
    this.end = b instanceof Position ? b : new Position(c as number, d as number);
  }
}

export class ThemeColor {}

export class CancellationTokenSource {
  readonly token = { isCancellationRequested: false, onCancellationRequested: () => nothing };
  cancel(): void {
    this.token.isCancellationRequested = true;
  }
  dispose(): void {}
}

export const ViewColumn = { Beside: -2 };
export const ProgressLocation = { Notification: 15 };
export const ConfigurationTarget = { Global: 1, Workspace: 2, WorkspaceFolder: 3 };
export const InlineCompletionTriggerKind = { Invoke: 0, Automatic: 1 };
export const Uri = { joinPath: (...parts: unknown[]) => parts.join("/") };
export const version = "0";

const nothing = { dispose: () => {} };

/** A webview panel whose page the test plays. */
export class FakePanel {
  readonly sent: { type: string; [key: string]: unknown }[] = [];
  readonly heard = new EventEmitter();
  readonly changed = new EventEmitter();
  readonly disposed = new EventEmitter();
  visible = true;
  readonly onDidChangeViewState = this.changed.event;
  readonly onDidDispose = this.disposed.event;
  readonly webview = {
    html: "",
    cspSource: "",
    asWebviewUri: String,
    onDidReceiveMessage: this.heard.event,
    // A page that is hidden is gone: VS Code keeps nothing for it.
    postMessage: (message: { type: string }) => this.visible && this.sent.push(message),
  };

  reveal(): void {}

  dispose(): void {
    this.disposed.fire();
  }

  /** Hide the panel or show it again, with a new page then. */
  show(visible: boolean): void {
    this.visible = visible;
    this.changed.fire();
    this.sent.length = 0;
    if (visible) this.heard.fire({ type: "listening" });
  }
}

/** What the test sets and looks at. */
export const fake = {
  settings: {} as Record<string, unknown>,
  panel: undefined as FakePanel | undefined,
  commands: [] as unknown[][],
  edited: new EventEmitter(),
  moved: new EventEmitter(),
};

export const workspace = {
  textDocuments: [] as unknown[],
  workspaceFolders: [],
  isTrusted: false,
  getConfiguration: () => ({ get: (key: string) => fake.settings[key] }),
  onDidChangeTextDocument: fake.edited.event,
};

export const window = {
  activeTextEditor: undefined as unknown,
  visibleTextEditors: [] as { document: unknown }[],
  onDidChangeTextEditorSelection: fake.moved.event,
  createTextEditorDecorationType: () => nothing,
  createWebviewPanel: () => {
    fake.panel = new FakePanel();
    return fake.panel;
  },
  setStatusBarMessage: () => {},
  showErrorMessage: () => {},
  showInformationMessage: () => {},
  showTextDocument: async (document: unknown, { selection }: { selection?: Range } = {}) => {
    const editor = window.visibleTextEditors.find((one) => one.document === document);
    if (editor && selection) Object.assign(editor, { selection: { active: selection.start } });
    window.activeTextEditor = editor;
    return editor;
  },
  withProgress: (_: unknown, work: (progress: unknown, token: unknown) => unknown) =>
    work({}, new CancellationTokenSource().token),
};

export const commands = {
  executeCommand: async (...command: unknown[]) => {
    fake.commands.push(command);
  },
};

export const languages = { registerInlineCompletionItemProvider: () => nothing };
export const extensions = { getExtension: () => undefined };
