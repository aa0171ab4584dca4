/**
 * Looks at chunks after they have been passed on. Whatever arrives in one turn of the event loop is looked at
 * together, after the sockets have been served: a parser never stands between a chunk and its client.
 */
export interface Look {
  show(chunk: Buffer): void;
  /** Looks at what is still waiting, now. */
  drain(): void;
}

/** `onFailure` is told once per look whose reader threw; that reader is not called again. */
export function createTap(onFailure: (error: unknown) => void): (read: (chunk: Buffer) => void) => Look {
  let waiting: (() => void)[] = [];
  const lookAtAll = (): void => {
    const drains = waiting;
    waiting = [];
    for (const drain of drains) {
      drain();
    }
  };

  return function open(read) {
    let chunks: Buffer[] = [];
    let broken = false;
    const drain = (): void => {
      const due = chunks;
      chunks = [];
      try {
        for (const chunk of due) {
          if (!broken) {
            read(chunk);
          }
        }
      } catch (error) {
        broken = true;
        onFailure(error);
      }
    };
    return {
      show(chunk) {
        if (chunks.push(chunk) > 1) {
          return;
        }
        if (waiting.push(drain) === 1) {
          setImmediate(lookAtAll);
        }
      },
      drain,
    };
  };
}
