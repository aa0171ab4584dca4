/** The process of the mock Ollama. Started by the bench, asked over its channel. */
import type { AddressInfo } from "node:net";
import type { Digests } from "./mock/digests.ts";
import { createMockServer } from "./mock/server.ts";
import { serveCommands } from "./wire/commands.ts";

export type MockCommands = {
  /** Starts to listen on loopback and answers the port. */
  listen(input: null): Promise<number>;
  keepDigests(on: boolean): null;
  lastDigests(input: null): Digests | undefined;
};

const { server, digests } = createMockServer();

const commands: MockCommands = {
  listen: () =>
    new Promise((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
    }),
  keepDigests(on) {
    digests.enable(on);
    return null;
  },
  lastDigests: () => digests.last(),
};

serveCommands(commands);
