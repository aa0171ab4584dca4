/** Cuts a body into lines, wherever the network cut it. A line is handed over without its line feed. */
export function createLineReader(onLine: (line: Buffer) => void): (bytes: Buffer) => void {
  let carried: Buffer | undefined;
  return (bytes) => {
    let start = 0;
    let end = bytes.indexOf(10);
    while (end !== -1) {
      const part = bytes.subarray(start, end);
      onLine(carried === undefined ? part : Buffer.concat([carried, part]));
      carried = undefined;
      start = end + 1;
      end = bytes.indexOf(10, start);
    }
    if (start < bytes.length) {
      const rest = bytes.subarray(start);
      carried = carried === undefined ? rest : Buffer.concat([carried, rest]);
    }
  };
}
