/** Sends the chunks of many streams on a fixed schedule, or as fast as the connections take them. */

export interface PacedStream {
  /** Sends one chunk. Answers whether there is more to send. */
  sendNext(): boolean;
  /** Calls back once the connection can take more; absent while it can. */
  whenBlocked(): ((then: () => void) => void) | undefined;
  closed(): boolean;
}

export interface Pacer {
  /** Chunk k is due `k * intervalMs` after now: a late one does not delay those after it. */
  paced(stream: PacedStream, intervalMs: number): void;
  /** One chunk of each stream a turn, so that chunks of one stream are not written together. */
  flatOut(stream: PacedStream): void;
}

export function createPacer(monotonic: () => number): Pacer {
  let ready: PacedStream[] = [];

  const add = (stream: PacedStream): void => {
    if (ready.push(stream) === 1) {
      setImmediate(turn);
    }
  };

  const turn = (): void => {
    const due = ready;
    ready = [];
    for (const stream of due) {
      if (stream.closed() || !stream.sendNext()) {
        continue;
      }
      const wait = stream.whenBlocked();
      if (wait === undefined) {
        add(stream);
      } else {
        wait(() => add(stream));
      }
    }
  };

  return {
    flatOut: add,
    paced(stream, intervalMs) {
      const startMs = monotonic();
      let index = 0;
      const send = (): void => {
        if (stream.closed() || !stream.sendNext()) {
          return;
        }
        index += 1;
        setTimeout(send, Math.max(0, startMs + index * intervalMs - monotonic()));
      };
      send();
    },
  };
}
