const FIRST_BYTES = 1024;

/** UTF-8 text that grows byte by byte up to a limit. */
export interface BoundedText {
  add(byte: number): void;
  /** All of it, or undefined once more was added than fits. */
  text(): string | undefined;
}

export function createBoundedText(limitBytes: number): BoundedText {
  let bytes = Buffer.allocUnsafe(Math.min(FIRST_BYTES, limitBytes));
  let length = 0;
  let overflown = false;
  return {
    add(byte) {
      if (length === bytes.length) {
        if (length >= limitBytes) {
          overflown = true;
          return;
        }
        const grown = Buffer.allocUnsafe(Math.min(2 * length, limitBytes));
        bytes.copy(grown, 0, 0, length);
        bytes = grown;
      }
      bytes[length] = byte;
      length += 1;
    },
    text: () => (overflown ? undefined : bytes.toString("utf8", 0, length)),
  };
}
