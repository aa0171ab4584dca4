/** What has to be undone at the end, newest first, whatever the end is. */
export interface Cleanup {
  add(undo: () => Promise<unknown> | void): void;
  run(): Promise<void>;
}

export function createCleanup(): Cleanup {
  const undos: (() => Promise<unknown> | void)[] = [];
  return {
    add: (undo) => void undos.push(undo),
    async run() {
      for (const undo of undos.splice(0).toReversed()) {
        try {
          await undo();
        } catch (error) {
          process.stderr.write(`bench: ${String(error)}\n`);
        }
      }
    },
  };
}
