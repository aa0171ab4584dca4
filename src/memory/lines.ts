/** A program that sends more than this without a line end is not speaking our language; what it sent is dropped. */
const LONGEST_LINE = 256 * 1024;

/** Cuts a stream of text into lines, however its chunks fall. `\r\n` ends a line too; an unfinished last line waits. */
export function createLineReader(onLine: (line: string) => void): (chunk: string) => void {
  let rest = "";
  return (chunk) => {
    rest += chunk;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      const line = rest.slice(0, rest[end - 1] === "\r" ? end - 1 : end);
      rest = rest.slice(end + 1);
      onLine(line);
    }
    if (rest.length > LONGEST_LINE) rest = "";
  };
}
