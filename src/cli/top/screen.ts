/** The terminal: another screen while it runs, the old one afterwards, whatever ends it. */
import type { ReadStream, WriteStream } from "node:tty";

export interface Screen {
  size(): { width: number; height: number };
  /** Draws over what is there, without clearing first: nothing flickers. */
  draw(lines: readonly string[]): void;
  close(): void;
}

const ENTER = "\u001B[?1049h\u001B[?25l";
const LEAVE = "\u001B[?25h\u001B[?1049l";

/** Takes the terminal over. `onKey` hears every key; `onResize` that the size has changed. */
export function openScreen(
  output: WriteStream,
  input: ReadStream,
  { onKey, onResize }: { onKey(key: string): void; onResize(): void },
): Screen {
  const hear = (data: Buffer): void => onKey(data.toString("utf8"));
  output.write(ENTER);
  output.on("resize", onResize);
  if (input.isTTY) {
    input.setRawMode(true);
    input.on("data", hear);
    input.resume();
  }
  let open = true;
  const close = (): void => {
    if (!open) {
      return;
    }
    open = false;
    process.off("exit", close);
    output.off("resize", onResize);
    if (input.isTTY) {
      input.off("data", hear);
      input.setRawMode(false);
      input.pause();
    }
    output.write(LEAVE);
  };
  // A fault of ours must not leave a terminal without a cursor.
  process.on("exit", close);
  return {
    size: () => ({ width: output.columns ?? 80, height: output.rows ?? 24 }),
    draw(lines) {
      output.write(`\u001B[H${lines.map((line) => `${line}\u001B[K`).join("\r\n")}\u001B[J`);
    },
    close,
  };
}
