/** As much of the language client as `src/client.ts` needs. The test says what its server does. */

export const State = { Stopped: 1, Running: 2, Starting: 3, StartFailed: 4 };
export const CloseAction = { DoNotRestart: 1, Restart: 2 };
export const ErrorAction = { Continue: 1 };
export const RevealOutputChannelOn = { Never: 4 };
export const TransportKind = { stdio: 0 };
export const InlineCompletionRequest = { type: {} };
export class ProgressType {}

export const never = new Promise<never>(() => {});

interface Options {
  errorHandler: { closed(): { action: number } };
}

export class LanguageClient {
  static all: LanguageClient[] = [];
  static starts: () => Promise<void> = async () => {};
  static answers: (method: string) => Promise<unknown> = async () => ({});
  state = State.Stopped;
  private told: (change: { newState: number }) => void = () => {};

  constructor(
    _id: string,
    _name: string,
    _run: unknown,
    readonly options: Options,
  ) {
    LanguageClient.all.push(this);
  }

  registerFeature(): void {}
  onNotification(): void {}
  onDidChangeState(told: (change: { newState: number }) => void): void {
    this.told = told;
  }

  enter(state: number): void {
    this.state = state;
    this.told({ newState: state });
  }

  async start(): Promise<void> {
    this.enter(State.Starting);
    await LanguageClient.starts();
    this.enter(State.Running);
  }

  async stop(): Promise<void> {
    this.state = State.Stopped;
  }

  async dispose(): Promise<void> {}

  sendRequest(method: string): Promise<unknown> {
    return LanguageClient.answers(method);
  }
}
