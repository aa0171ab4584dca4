/** The live connection of a running Plimsoll, kept up. */
import { WebSocket } from "ws";
import type { ServerMessage } from "../../types.ts";

export interface LiveConnection {
  close(): void;
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 10_000;

/** `onRefused` is told when the very first attempt fails, with what is to be done; nothing is tried again then. */
export function connectLive(
  url: string,
  token: string | null,
  listener: {
    onMessage(message: ServerMessage): void;
    onLost(): void;
    onRefused(why: string): void;
  },
): LiveConnection {
  let socket: WebSocket | undefined;
  let retry: NodeJS.Timeout | undefined;
  let delayMs = FIRST_DELAY_MS;
  let known = false;
  let closed = false;

  const open = (): void => {
    const opening = new WebSocket(`${url.replace(/^http/, "ws")}/plimsoll/live`, {
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      handshakeTimeout: 5000,
    });
    socket = opening;
    let why = `no Plimsoll answers at ${url}; start it, or name it with --listen.`;
    let wasOpen = false;
    opening.on("unexpected-response", (_request, response) => {
      why =
        response.statusCode === 401
          ? `the Plimsoll at ${url} wants its token: set --token or PLIMSOLL_TOKEN.`
          : `what answers at ${url} is no Plimsoll that shows itself (${response.statusCode}).`;
      opening.terminate();
    });
    opening.on("error", () => {});
    opening.on("open", () => {
      wasOpen = true;
      known = true;
      delayMs = FIRST_DELAY_MS;
    });
    opening.on("message", (data: Buffer) => listener.onMessage(JSON.parse(data.toString()) as ServerMessage));
    opening.on("close", () => {
      if (closed) {
        return;
      }
      if (!known) {
        listener.onRefused(why);
        return;
      }
      if (wasOpen) {
        listener.onLost();
      }
      retry = setTimeout(open, delayMs);
      delayMs = Math.min(LONGEST_DELAY_MS, delayMs * 2);
    });
  };

  open();
  return {
    close() {
      closed = true;
      clearTimeout(retry);
      socket?.terminate();
    },
  };
}
