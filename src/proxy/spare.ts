/**
 * One connection opened ahead, so that a request that follows soon after another need not wait for the handshake.
 * Nothing has ever been sent on it: each connection still carries one request.
 */
import type net from "node:net";

export interface Spare {
  /** The connection that is ready, if there is one; from then on it is the caller's. */
  take(): net.Socket | undefined;
  /** Opens one, unless one is ready. */
  prepare(): void;
  close(): void;
}

/** Shorter than any server waits for a first request: none closes it while that is on its way. */
const READY_MS = 3000;
/** The other side has closed it, or speaks first; or nobody came. */
const REASONS_TO_DROP = ["data", "end", "error", "close", "timeout"];

export function createSpare(connect: () => net.Socket): Spare {
  let ready: { socket: net.Socket; drop: () => void } | undefined;
  let closed = false;

  return {
    take() {
      if (ready === undefined) {
        return undefined;
      }
      const { socket, drop } = ready;
      ready = undefined;
      for (const reason of REASONS_TO_DROP) {
        socket.off(reason, drop);
      }
      return socket.setTimeout(0).ref();
    },
    prepare() {
      if (ready !== undefined || closed) {
        return;
      }
      const socket = connect().setTimeout(READY_MS).unref();
      const drop = (): void => {
        socket.destroy();
        if (ready?.socket === socket) {
          ready = undefined;
        }
      };
      for (const reason of REASONS_TO_DROP) {
        socket.on(reason, drop);
      }
      ready = { socket, drop };
    },
    close() {
      closed = true;
      ready?.drop();
    },
  };
}
