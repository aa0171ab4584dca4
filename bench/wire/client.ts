/** One kept connection to a target and the exchanges on it, one after another. */
import { createConnection, type Socket } from "node:net";
import type { Head } from "./head.ts";
import { createMessageReader, type MessageReader } from "./messageReader.ts";

export interface ClientRequest {
  /** Head, and the body if it is at hand. */
  bytes: Buffer;
  /** Writes what follows `bytes`; each write resolves when the connection can take more. */
  pour?: (write: (bytes: Buffer) => Promise<void>) => Promise<void>;
}

/** What a measurement looks at while an answer arrives. */
export interface AnswerWatch {
  /** Right before the first byte is written; the connection is open. */
  sending?(): void;
  /** Each time the connection was read, before what was read is taken apart. */
  read?(): void;
  head?(head: Head): void;
  body?(bytes: Buffer): void;
}

export interface Client {
  /**
   * Resolves when the answer is whole. Rejects when the connection is lost before, or the status is not 2xx: a target
   * that refuses quickly must not look fast.
   */
  exchange(request: ClientRequest, watch?: AnswerWatch): Promise<void>;
  close(): void;
}

interface Running {
  watch: AnswerWatch;
  resolve(): void;
  reject(error: Error): void;
}

export function createClient(port: number): Client {
  let socket: Socket | undefined;
  let running: Running | undefined;

  const settle = (error?: Error): void => {
    const settled = running;
    running = undefined;
    if (error === undefined) {
      settled?.resolve();
    } else {
      settled?.reject(error);
    }
  };

  const open = async (): Promise<Socket> => {
    const opened = await connect(port);
    let closing = false;
    let refusal: Error | undefined;
    const reader: MessageReader = createMessageReader("answer", {
      head(head) {
        closing = head.field("connection")?.toLowerCase() === "close";
        refusal = / 2\d\d\b/.test(head.startLine) ? undefined : new Error(`answered ${head.startLine}`);
        running?.watch.head?.(head);
      },
      body: (bytes) => running?.watch.body?.(bytes),
      end() {
        if (closing) {
          socket = undefined;
          opened.end();
        }
        settle(refusal);
      },
    });
    opened.on("data", (bytes: Buffer) => {
      running?.watch.read?.();
      reader.push(bytes);
    });
    opened.on("error", (error) => settle(error));
    opened.on("close", () => {
      socket = socket === opened ? undefined : socket;
      if (!reader.close()) {
        settle(new Error("the connection closed in the middle of an answer"));
      } else if (socket === undefined) {
        settle(new Error("the connection closed before the answer"));
      }
    });
    return opened;
  };

  return {
    async exchange(request, watch = {}) {
      socket ??= await open();
      const current = socket;
      const answered = new Promise<void>((resolve, reject) => {
        running = { watch, resolve, reject };
      });
      watch.sending?.();
      current.write(request.bytes);
      // An answer may come before the upload ends, and a target that refuses it closes: neither may hang the pouring.
      await Promise.all([answered, request.pour?.((bytes) => writeAll(current, bytes))]);
    },
    close() {
      socket?.destroy();
      socket = undefined;
    },
  };
}

async function connect(port: number): Promise<Socket> {
  const socket = createConnection({ port, host: "127.0.0.1", noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return socket;
}

async function writeAll(socket: Socket, bytes: Buffer): Promise<void> {
  if (socket.destroyed) {
    throw new Error("the connection closed in the middle of an upload");
  }
  if (!socket.write(bytes)) {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        socket.off("drain", done);
        socket.off("close", done);
        resolve();
      };
      socket.once("drain", done);
      socket.once("close", done);
    });
  }
}
