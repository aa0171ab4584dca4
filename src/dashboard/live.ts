/** The WebSocket of every open page: a snapshot, then changes. */
import type { IncomingMessage } from "node:http";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type {
  Conversation,
  Episode,
  Exchange,
  Forecast,
  Load,
  Log,
  MemorySample,
  ServerMessage,
  Snapshot,
} from "../types.ts";
import type { Access } from "./access.ts";
import { fromNode } from "./accessRequest.ts";
import type { Problem } from "./problem.ts";
import { problemText } from "./problem.ts";
import { createThrottle } from "./throttle.ts";
import type { Viewer } from "./viewer.ts";
import { createViewer } from "./viewer.ts";

/** Where a page asks for the live connection. */
export const livePath = "/plimsoll/live";

export interface LiveOptions {
  access: Access;
  snapshot(): Snapshot;
  monotonic(): number;
  log: Pick<Log, "error">;
  /** Shortened by tests. */
  updateIntervalMs?: number;
  pingIntervalMs?: number;
}

/** The live connection of every open page. Publishing to nobody costs a look at an empty set. */
export interface Live {
  /** Takes a request with `Upgrade: websocket` whose `Host` has been checked; answers every other one with an error. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  publishExchange(exchange: Exchange): void;
  publishSample(sample: MemorySample, forecast?: Forecast): void;
  publishLoad(load: Load): void;
  publishConversation(conversation: Conversation): void;
  publishAlert(alert: Episode): void;
  publishRemoved(kind: Extract<ServerMessage, { type: "removed" }>["kind"], id: string): void;
  /** A new snapshot for everyone: models, health or the verdict changed, which have no message of their own. */
  refresh(): void;
  viewerCount(): number;
  close(): void;
}

const viewersAllowed = 32;
const messageBytesAllowed = 1024;

/** Creates the hub of live viewers. A slow, hidden or dead viewer costs bounded memory and holds nobody up. */
export function createLive(options: LiveOptions): Live {
  const { access, snapshot, monotonic, log } = options;
  const { updateIntervalMs = 250, pingIntervalMs = 10_000 } = options;
  const viewers = new Set<Viewer>();
  const changed = new Map<string, Exchange>();
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: messageBytesAllowed,
  });

  const publish = (message: ServerMessage): void => send(() => textOf(message));
  const send = (makeText: () => string | undefined): void => {
    const receivers = [...viewers].filter((viewer) => !viewer.paused);
    const text = receivers.length > 0 ? makeText() : undefined;
    if (text === undefined) return;
    for (const viewer of receivers) viewer.send(text);
  };
  const snapshotText = (): string | undefined => {
    try {
      return textOf({ type: "snapshot", snapshot: snapshot() });
    } catch (error) {
      // This also runs on timers and socket events, where a throw would end the process and with it every chat.
      log.error("The page's snapshot could not be made", { error: String(error) });
      return undefined;
    }
  };

  const exchanges = createThrottle({
    intervalMs: updateIntervalMs,
    monotonic,
    run() {
      for (const exchange of changed.values()) publish({ type: "exchange", exchange });
      changed.clear();
    },
  });
  const refreshes = createThrottle({
    intervalMs: updateIntervalMs,
    monotonic,
    run: () => send(snapshotText),
  });
  const heartbeat = setInterval(() => {
    for (const viewer of viewers) {
      if (!viewer.ping()) viewer.terminate();
    }
  }, pingIntervalMs).unref();

  const refuse = (request: IncomingMessage): Problem | undefined => {
    if (request.url?.split("?", 1)[0] !== livePath) return notHere;
    return access.refuse(fromNode(request)) ?? (viewers.size >= viewersAllowed ? tooManyViewers : undefined);
  };

  return {
    handleUpgrade(request, socket, head) {
      // Until ws owns the socket, a reset by the other side would be an unhandled error.
      const ignoreReset = (): void => {};
      socket.on("error", ignoreReset);
      const problem = refuse(request);
      if (problem) {
        socket.end(problemOnTheWire(problem));
        return;
      }
      server.handleUpgrade(request, socket, head, (webSocket) => {
        socket.off("error", ignoreReset);
        const viewer = createViewer({
          socket: webSocket,
          snapshotText,
          onGone: () => viewers.delete(viewer),
        });
        viewers.add(viewer);
      });
    },
    publishExchange(exchange) {
      if (viewers.size === 0) return;
      if ("endedAt" in exchange.state) {
        changed.delete(exchange.id);
        publish({ type: "exchange", exchange });
      } else {
        changed.set(exchange.id, exchange);
        exchanges.request();
      }
    },
    publishConversation: (conversation) => publish({ type: "conversation", conversation }),
    publishSample: (sample, forecast) => publish({ type: "sample", sample, forecast }),
    publishLoad: (load) => publish({ type: "load", load }),
    publishAlert: (alert) => publish({ type: "alert", alert }),
    publishRemoved(kind, id) {
      if (kind === "exchange") changed.delete(id);
      publish({ type: "removed", kind, id });
    },
    refresh: () => refreshes.request(),
    viewerCount: () => viewers.size,
    close() {
      clearInterval(heartbeat);
      exchanges.stop();
      refreshes.stop();
      for (const viewer of viewers) viewer.close();
      server.close();
    },
  };
}

function textOf(message: ServerMessage): string {
  return JSON.stringify(message);
}

function problemOnTheWire(problem: Problem): string {
  const body = problemText(problem);
  const headers = {
    Connection: "close",
    "Content-Type": "application/json",
    "Content-Length": String(Buffer.byteLength(body)),
    ...problem.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`, ...lines, "", body].join("\r\n");
}

const notHere: Problem = {
  status: 404,
  code: "not-found",
  message: `The live connection is at ${livePath}.`,
};

const tooManyViewers: Problem = {
  status: 503,
  code: "too-many-viewers",
  message: `${viewersAllowed} pages are open already; close one and try again.`,
};
