/** Starts the whole application in front of an upstream, keeping nothing, and takes everything down afterwards. */
import type { AddressInfo } from "node:net";
import { createApp } from "../../src/app.ts";
import type { App, AppParts } from "../../src/appParts.ts";
import { loadConfig } from "../../src/config.ts";
import { openStore, type Store } from "../../src/store/client.ts";
import type { Log } from "../../src/types.ts";

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

export interface Started {
  app: App;
  port: number;
  url: string;
  store: Store;
}

const toClose: (() => Promise<unknown>)[] = [];

/** Closes what the tests of one case started, newest first. */
export async function cleanUp(): Promise<void> {
  for (const close of toClose.splice(0).toReversed()) {
    await close();
  }
}

export function onCleanUp(close: () => Promise<unknown>): void {
  toClose.push(close);
}

export interface StartOptions {
  dataDir?: string;
  settings?: Record<string, unknown>;
  parts?: Partial<AppParts>;
}

export async function startPlimsoll(upstreamUrl: string, options: StartOptions = {}): Promise<Started> {
  const file = {
    path: "test",
    text: JSON.stringify({ upstream: upstreamUrl, listen: "127.0.0.1:0", ...options.settings }),
  };
  const { config } = loadConfig({ flags: {}, environment: {}, file });
  const clocks = { now: () => Date.now(), monotonic: () => performance.now() };
  const store =
    options.parts?.store ??
    (await openStore({
      dataDir: options.dataDir ?? ":memory:",
      ...clocks,
      log: silentLog,
      retention: config.retention,
    }));
  const app = await createApp({
    config,
    store,
    ...clocks,
    log: silentLog,
    version: "0.0.0-test",
    ...options.parts,
  });
  await app.listen();
  const { port } = app.server.address() as AddressInfo;
  toClose.push(async () => {
    await app.close(0);
    await store.close();
  });
  return { app, port, url: `http://127.0.0.1:${port}`, store };
}

/** The same in front of an upstream of the test's own, which is closed afterwards too. */
export function startBehind(
  upstream: { url: string; close(): Promise<unknown> },
  options?: StartOptions,
): Promise<Started> {
  toClose.push(() => upstream.close());
  return startPlimsoll(upstream.url, options);
}
