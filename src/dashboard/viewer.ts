import { WebSocket } from "ws";

/** One open page. */
export interface Viewer {
  /** Sends one message, or remembers that this viewer needs a snapshot instead. */
  send(text: string): void;
  /** True while its page is hidden. */
  readonly paused: boolean;
  /** Asks for a sign of life; false when none of the last pings was answered. */
  ping(): boolean;
  close(): void;
  terminate(): void;
}

export interface ViewerOptions {
  socket: WebSocket;
  /** Absent when no snapshot can be made now; the viewer then stays behind until the next chance. */
  snapshotText(): string | undefined;
  onGone(): void;
}

const bufferedBytesAllowed = 1024 * 1024;
const messagesAllowed = 256;
const pingsAllowed = 3;
const goingAway = 1001;
const closeGraceMs = 1000;

/**
 * Wraps a socket so that a slow page costs a megabyte, never a backlog: what does not fit is dropped, and once everything has left, one
 * fresh snapshot replaces all of it. A hidden page is sent nothing until it says it is visible again.
 */
export function createViewer(options: ViewerOptions): Viewer {
  const { socket, snapshotText } = options;
  let messagesUnsent = 0;
  let behind = true;
  let paused = false;
  let pingsUnanswered = 0;

  const write = (text: string): void => {
    if (messagesUnsent >= messagesAllowed || socket.bufferedAmount > bufferedBytesAllowed) {
      behind = true;
      return;
    }
    messagesUnsent += 1;
    socket.send(text, onSent);
  };

  const onSent = (): void => {
    messagesUnsent -= 1;
    catchUp();
  };

  const catchUp = (): void => {
    if (!behind || paused || messagesUnsent > 0 || socket.readyState !== WebSocket.OPEN) return;
    const text = snapshotText();
    if (text === undefined) return;
    behind = false;
    write(text);
  };

  const hear = (text: string): void => {
    const type = messageType(text);
    if (type === "pause") paused = true;
    if (type !== "resume" || !paused) return;
    paused = false;
    behind = true;
    catchUp();
  };

  socket.on("message", (data, isBinary) => {
    pingsUnanswered = 0;
    if (!isBinary) hear(data.toString());
  });
  socket.on("pong", () => {
    pingsUnanswered = 0;
  });
  // ws closes the socket by itself after an error; without a listener the process would end with it.
  socket.on("error", () => {});
  socket.on("close", options.onGone);
  catchUp();

  return {
    get paused() {
      return paused;
    },
    send(text) {
      if (behind) catchUp();
      else if (!paused && socket.readyState === WebSocket.OPEN) write(text);
    },
    ping() {
      pingsUnanswered += 1;
      socket.ping();
      return pingsUnanswered <= pingsAllowed;
    },
    close() {
      socket.close(goingAway, "Plimsoll is stopping");
      setTimeout(() => socket.terminate(), closeGraceMs).unref();
    },
    terminate: () => socket.terminate(),
  };
}

function messageType(text: string): unknown {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === "object" && message !== null && "type" in message ? message.type : undefined;
  } catch {
    return undefined;
  }
}
