/**
 * The connection to the language server. The only file that imports the language client, which takes
 * longer to load than all the rest, so this file is loaded when the server starts, not before.
 */

import {
  type CancellationToken,
  type InlineCompletionContext,
  type InlineCompletionItem,
  type LogOutputChannel,
  type Position,
  type TextDocument,
  version as vscodeVersion,
  window,
} from "vscode";
import {
  CloseAction,
  ErrorAction,
  InlineCompletionRequest,
  LanguageClient,
  type Middleware,
  ProgressType,
  RevealOutputChannelOn,
  State,
  type StaticFeature,
  TransportKind,
} from "vscode-languageclient/node";
import { DOCUMENTS, forServer, SECTION } from "./config";
import { formattingOf } from "./place";
import type { DenoiseStep, Item, ServerStatus } from "./protocol";
import { NOT_STARTED } from "./state";

const INLINE = "textDocument/inlineCompletion";
const KEPT_COMMANDS = ["dcomplete.didAccept"]; // the others have twins of this extension's own
const MOST_RESTARTS = 4;
const RESTARTS_WITHIN = 180_000; // milliseconds

/** What the rest of the extension does when the connection asks or tells. */
export interface Hooks {
  status(status: ServerStatus): void;
  state(state: "starting" | "running" | "failed", message: string): void;
}

export interface Program {
  path: string;
  arguments: string[];
  extensionVersion: string;
}

/** One language server process, restarted a few times if it ends by itself. */
export class Connection {
  private readonly client: LanguageClient;
  private readonly ended: number[] = [];
  private over = false; // it was stopped, or has ended so often that it is left alone

  constructor(
    readonly program: Program,
    log: LogOutputChannel,
    private readonly hooks: Hooks,
  ) {
    const run = {
      command: program.path,
      args: ["lsp", ...program.arguments],
      transport: TransportKind.stdio,
    };
    this.client = new LanguageClient(SECTION, "dcomplete", run, {
      documentSelector: DOCUMENTS,
      outputChannel: log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions: () => ({
        ...forServer(),
        editorInfo: { name: "vscode", version: vscodeVersion },
        editorPluginInfo: { name: "dcomplete", version: program.extensionVersion },
      }),
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => this.closed(),
      },
      middleware: this.middleware(),
    });
    this.client.registerFeature(new OwnFeatures());
    this.client.onNotification("dcomplete/status", (status: ServerStatus) => hooks.status(status));
    this.client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) hooks.state("running", "");
      if (newState === State.Starting) hooks.state("starting", "");
      if (newState === State.StartFailed && !this.over) hooks.state("failed", NOT_STARTED);
    });
  }

  async start(): Promise<void> {
    await this.client.start();
  }

  async stop(): Promise<void> {
    this.over = true;
    try {
      await this.client.stop(2_000);
    } catch {
      // It had not started, or was gone already.
    }
    await this.client.dispose(2_000).catch(() => undefined);
  }

  /** Send the settings as they are now. */
  async configure(): Promise<void> {
    await this.notify("workspace/didChangeConfiguration", { settings: { [SECTION]: forServer() } });
  }

  async notify(method: string, params: unknown): Promise<void> {
    if (this.client.state === State.Running) await this.client.sendNotification(method, params);
  }

  async request<T>(method: string, params: unknown, token?: CancellationToken): Promise<T> {
    return await this.client.sendRequest<T>(method, params, token);
  }

  /** What the server suggests here; [] where the request fails, which the log then tells. */
  async suggest(
    document: TextDocument,
    position: Position,
    context: InlineCompletionContext,
    token: CancellationToken,
  ): Promise<InlineCompletionItem[]> {
    const { code2ProtocolConverter: convert } = this.client;
    const params = convert.asInlineCompletionParams(document, position, context);
    try {
      const raw = await this.request<Item[] | null>(INLINE, params, token);
      return token.isCancellationRequested ? [] : await this.items(raw ?? []);
    } catch (error) {
      return this.client.handleFailedRequest(InlineCompletionRequest.type, token, error, []);
    }
  }

  /** `dcomplete/watch`: the items at the end, each denoise step on the way. */
  async watch(
    params: object,
    onStep: (step: DenoiseStep) => void,
    token: CancellationToken,
  ): Promise<{ items: Item[] } | null> {
    const partialResultToken = `dcomplete-watch-${Date.now()}`;
    const progress = this.client.onProgress(
      new ProgressType<DenoiseStep>(),
      partialResultToken,
      onStep,
    );
    try {
      return await this.request("dcomplete/watch", { ...params, partialResultToken }, token);
    } finally {
      progress.dispose();
    }
  }

  /** The server's URI for a document. */
  uri(document: TextDocument): string {
    return this.client.code2ProtocolConverter.asUri(document.uri);
  }

  /** Items as VS Code takes them. */
  async items(raw: Item[]): Promise<InlineCompletionItem[]> {
    const result = await this.client.protocol2CodeConverter.asInlineCompletionResult(
      raw as Parameters<typeof this.client.protocol2CodeConverter.asInlineCompletionResult>[0],
    );
    return (Array.isArray(result) ? result : result?.items) ?? [];
  }

  /** An item as the server knows it. */
  raw(item: InlineCompletionItem): Item {
    const { code2ProtocolConverter: convert } = this.client;
    return {
      insertText: typeof item.insertText === "string" ? item.insertText : item.insertText.value,
      range: item.range ? convert.asRange(item.range) : null,
      command: item.command ? convert.asCommand(item.command) : null,
    };
  }

  private middleware(): Middleware {
    return {
      sendRequest: (type, params, token, next) => {
        const method = typeof type === "string" ? type : type.method;
        return next(type, method === INLINE ? this.withFormatting(params) : params, token);
      },
      workspace: {
        configuration: ({ items }, token, next) => {
          const own = items.every(({ section }) => section === SECTION);
          return own ? items.map(() => forServer()) : next({ items }, token);
        },
        // The client's own message would hold settings that only this extension knows; see `configure`.
        didChangeConfiguration: async () => {},
      },
    };
  }

  /** Copilot's extension of the request: how the editor indents, and the document's version. */
  private withFormatting<P>(params: P): P {
    const asked = params as { textDocument: { uri: string } } | undefined;
    const editor = window.visibleTextEditors.find(
      ({ document }) => this.uri(document) === asked?.textDocument.uri,
    );
    if (asked === undefined || editor === undefined) return params;
    return { ...asked, formattingOptions: formattingOf(editor.options) } as P;
  }

  private closed() {
    if (this.over) return { action: CloseAction.DoNotRestart, handled: true };
    const now = Date.now();
    this.ended.push(now);
    const recent = this.ended.filter((at) => now - at < RESTARTS_WITHIN).length;
    if (recent <= MOST_RESTARTS) return { action: CloseAction.Restart, handled: true };
    this.over = true;
    this.hooks.state(
      "failed",
      "The server ended five times within three minutes; the log may say why.",
    );
    return { action: CloseAction.DoNotRestart, handled: true };
  }
}

/**
 * Keeps the language client from registering what this extension has itself: commands, and suggestions,
 * which are asked for since before the server runs.
 */
class OwnFeatures implements StaticFeature {
  fillClientCapabilities(): void {}

  preInitialize: NonNullable<StaticFeature["preInitialize"]> = (capabilities) => {
    const provider = capabilities.executeCommandProvider;
    if (provider) provider.commands = provider.commands.filter((id) => KEPT_COMMANDS.includes(id));
    delete capabilities.inlineCompletionProvider;
  };

  initialize(): void {}

  getState() {
    return { kind: "static" as const };
  }

  clear(): void {}
}
