/** Two ends for `forward()`: what is listened on is closed by `cleanUp`. */
import { once } from "node:events";
import http, { type ServerResponse } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { forward, type ForwardWatcher } from "../../../src/proxy/forward.ts";
import { createUpstream, upstreamAddress } from "../../../src/proxy/upstream.ts";

export const closers: (() => unknown)[] = [];

export async function cleanUp(): Promise<void> {
  for (const close of closers.splice(0)) await close();
}

export async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A proxy before that port, of whose watcher only what a test needs is told; its own port. */
export function startProxy(
  upstreamPort: number,
  { watcher, began }: { watcher?: Partial<ForwardWatcher>; began?: (outgoing: ServerResponse) => void },
): Promise<number> {
  const upstream = createUpstream(upstreamAddress(`http://127.0.0.1:${upstreamPort}`));
  const deaf: ForwardWatcher = {
    requestChunk: () => false,
    requestSettled() {},
    requestSent() {},
    answerHead() {},
    answerChunk() {},
    end() {},
  };
  return listen(
    http.createServer((incoming, outgoing) => {
      began?.(outgoing);
      forward({
        incoming,
        outgoing,
        upstream,
        target: "/api/chat",
        headers: incoming.rawHeaders,
        unanswered: (error) => outgoing.destroy(error),
        watcher: { ...deaf, ...watcher },
      });
    }),
  );
}
