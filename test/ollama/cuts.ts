/** Pushes bytes in pieces of `size`, which cuts lines, escapes and characters wherever it falls. */
export function pushInPieces(bytes: Buffer, size: number, push: (chunk: Buffer) => void): void {
  for (let start = 0; start < bytes.length; start += size) {
    push(bytes.subarray(start, start + size));
  }
}

/** Every way to cut bytes into two. */
export function halves(bytes: Buffer): [Buffer, Buffer][] {
  return Array.from({ length: bytes.length + 1 }, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)]);
}
