import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import type { LogOutputChannel } from "vscode";
import { atMost } from "../src/patience";
import { Session } from "../src/session";
import { CloseAction, LanguageClient, never, State } from "./stubs/languageclient";
import { fake } from "./stubs/vscode";

const log = { info() {}, warn() {}, error() {} } as unknown as LogOutputChannel;

async function running(): Promise<Session> {
  fake.settings = { serverPath: process.execPath };
  const session = new Session(log, "0");
  await session.start();
  return session;
}

afterEach(() => {
  LanguageClient.all.length = 0;
  LanguageClient.starts = async () => {};
  LanguageClient.answers = async () => ({});
});

test("waiting ends with the work, its failure, or the time", async () => {
  const begin = performance.now();
  await atMost(60_000, Promise.resolve());
  await atMost(60_000, Promise.reject(new Error("no")));
  await atMost(20, never);
  assert.ok(performance.now() - begin < 5_000);
});

test("a server that hangs is left for another one", { timeout: 20_000 }, async () => {
  const session = await running();
  LanguageClient.answers = () => never;
  await session.restart();
  assert.equal(LanguageClient.all.length, 2);
  assert.equal(session.situation.phase.kind, "running");
});

test("a start that hangs does not hold up a restart", { timeout: 20_000 }, async () => {
  LanguageClient.starts = () => never;
  fake.settings = { serverPath: process.execPath };
  const session = new Session(log, "0");
  void session.start();
  while (LanguageClient.all.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
  LanguageClient.starts = async () => {};
  await session.restart();
  assert.equal(session.situation.phase.kind, "running");
});

test("what a connection says after it was given up is not heard", async () => {
  const session = await running();
  await session.restart();
  const [old, now] = LanguageClient.all;
  old?.enter(State.StartFailed);
  assert.equal(session.situation.phase.kind, "running");
  assert.equal(old?.options.errorHandler.closed().action, CloseAction.DoNotRestart);
  assert.equal(now?.options.errorHandler.closed().action, CloseAction.Restart);
});

test("a server that cannot be started again is said to have failed", async () => {
  const session = await running();
  const [client] = LanguageClient.all;
  client?.enter(State.Starting);
  assert.equal(session.situation.phase.kind, "starting");
  client?.enter(State.StartFailed);
  assert.equal(session.situation.phase.kind, "failed");
});

test("a server that ends again and again is said to have, whatever comes after", async () => {
  const session = await running();
  const [client] = LanguageClient.all;
  const actions = [1, 2, 3, 4, 5].map(() => client?.options.errorHandler.closed().action);
  assert.deepEqual(actions, [...Array(4).fill(CloseAction.Restart), CloseAction.DoNotRestart]);
  client?.enter(State.StartFailed);
  const { phase } = session.situation;
  assert.match(phase.kind === "failed" ? phase.message : "", /five times/);
});
