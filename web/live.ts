import type { ServerMessage } from "../src/types.ts";

export interface Connection {
  close(): void;
}

export interface ConnectionOptions {
  url: string;
  onMessage(message: ServerMessage): void;
  onOpen(): void;
  /** Called once for each loss, not for each failed attempt. */
  onLost(): void;
  /** Called after each attempt that failed: the server may want a login now. */
  onFailedAttempt(): void;
}

const firstDelayMs = 500;
const longestDelayMs = 10_000;
const answerExpectedMs = 5000;

/**
 * Keeps one WebSocket open: after a loss it tries again at once, then ever more slowly up to every ten seconds. While the page is hidden
 * the server is asked to send nothing, and nothing is tried.
 */
export function connect(options: ConnectionOptions): Connection {
  let socket: WebSocket | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  let delayMs = firstDelayMs;
  let wasOpen = false;
  let closed = false;

  const open = (): void => {
    retry = undefined;
    socket = new WebSocket(options.url);
    socket.addEventListener("open", () => {
      delayMs = firstDelayMs;
      wasOpen = true;
      if (document.hidden) say("pause");
      options.onOpen();
    });
    socket.addEventListener("message", (event) => {
      clearTimeout(watchdog);
      options.onMessage(JSON.parse(String(event.data)) as ServerMessage);
    });
    socket.addEventListener("close", onClose);
  };

  const onClose = (): void => {
    clearTimeout(watchdog);
    socket = undefined;
    if (closed) return;
    if (wasOpen) options.onLost();
    else options.onFailedAttempt();
    wasOpen = false;
    if (document.hidden) return;
    // Spread, so that thirty pages do not all knock in the same instant after a restart.
    retry = setTimeout(open, delayMs * (0.5 + Math.random() / 2));
    delayMs = Math.min(longestDelayMs, delayMs * 2);
  };

  const say = (type: "pause" | "resume"): void => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type }));
  };

  const onVisibility = (): void => {
    if (document.hidden) {
      say("pause");
    } else if (socket) {
      say("resume");
      // After sleep a socket can look open for minutes although nobody is at the other end.
      watchdog = setTimeout(() => socket?.close(), answerExpectedMs);
    } else {
      clearTimeout(retry);
      open();
    }
  };

  document.addEventListener("visibilitychange", onVisibility);
  open();
  return {
    close() {
      closed = true;
      clearTimeout(retry);
      clearTimeout(watchdog);
      document.removeEventListener("visibilitychange", onVisibility);
      socket?.close();
    },
  };
}
