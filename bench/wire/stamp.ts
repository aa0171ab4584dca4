/**
 * The send time inside a chunk: nanoseconds of the shared clock as the chunk's whole text, in as many digits each
 * time, so that every chunk of a stream is equally long.
 */
const DIGITS = 18;
const FIELD = '"content":"';

export function stampNow(): string {
  return process.hrtime.bigint().toString().padStart(DIGITS, "0");
}

/** Milliseconds of the shared clock at which this line was sent. Absent in a line that carries no stamp. */
export function readStamp(line: Buffer): number | undefined {
  const field = line.indexOf(FIELD);
  if (field === -1) {
    return undefined;
  }
  const digits = line.toString("latin1", field + FIELD.length, field + FIELD.length + DIGITS);
  return /^\d{18}$/.test(digits) ? Number(BigInt(digits)) / 1e6 : undefined;
}
