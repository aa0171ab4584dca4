/** Figures as people read them, in sentences that this program words itself. */
const KIBIBYTE = 1024;
const MEBIBYTE = 1024 ** 2;
const GIBIBYTE = 1024 ** 3;

/** `448 MiB`, `1.3 GiB`: enough digits to decide by. */
export function bytesText(bytes: number): string {
  const size = Math.abs(bytes);
  // From here on the smaller unit would print as 1024.
  if (size >= 1023.5 * MEBIBYTE) {
    const gibibytes = bytes / GIBIBYTE;
    return `${Math.abs(gibibytes) < 99.95 ? gibibytes.toFixed(1) : Math.round(gibibytes)} GiB`;
  }
  return size >= 0.95 * MEBIBYTE
    ? `${Math.round(bytes / MEBIBYTE)} MiB`
    : `${Math.round(bytes / KIBIBYTE)} KiB`;
}

/** `1.4 s`, `103 s`, `6 min`, `2.5 h`. */
export function durationText(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) {
    return `${seconds.toFixed(1)} s`;
  }
  if (seconds < 119.5) {
    return `${Math.round(seconds)} s`;
  }
  const minutes = seconds / 60;
  return minutes < 119.5 ? `${Math.round(minutes)} min` : `${(minutes / 60).toFixed(1)} h`;
}

/** `1 answer`, `2 answers`. */
export function countText(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** Names come from whoever sends a request: what a terminal or a page might obey is left out, and what is endless cut. */
export function nameText(name: string): string {
  const plain = name.replace(/[\p{C}\p{Z}]+/gu, " ").trim();
  // A cut through a pair of surrogates would leave half a character.
  return plain.length > 80 ? `${plain.slice(0, 79).replace(/[\uD800-\uDBFF]$/, "")}…` : plain;
}
