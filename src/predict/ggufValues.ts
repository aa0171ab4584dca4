/** The values of a GGUF header: what is of use is kept, long lists are counted only. */
import type { ByteReader } from "./ggufBytes.ts";
import { ShapeProblem } from "./shapeProblem.ts";

/** Longest string that is kept; longer ones (templates, merges) are passed over. */
const LONGEST_TEXT = 1024;
/** Longest array that is kept: per-layer values. Longer ones are the tokenizer's. */
const LONGEST_ARRAY = 4096;

const STRING = 8;
const ARRAY = 9;

/** Bytes and reader of every fixed-size value type of GGUF, by its number. */
const FIXED: ReadonlyMap<number, { bytes: number; read(view: DataView): number | bigint | boolean }> =
  new Map([
    [0, { bytes: 1, read: (view: DataView) => view.getUint8(0) }],
    [1, { bytes: 1, read: (view: DataView) => view.getInt8(0) }],
    [2, { bytes: 2, read: (view: DataView) => view.getUint16(0, true) }],
    [3, { bytes: 2, read: (view: DataView) => view.getInt16(0, true) }],
    [4, { bytes: 4, read: (view: DataView) => view.getUint32(0, true) }],
    [5, { bytes: 4, read: (view: DataView) => view.getInt32(0, true) }],
    [6, { bytes: 4, read: (view: DataView) => view.getFloat32(0, true) }],
    [7, { bytes: 1, read: (view: DataView) => view.getUint8(0) !== 0 }],
    [10, { bytes: 8, read: (view: DataView) => view.getBigUint64(0, true) }],
    [11, { bytes: 8, read: (view: DataView) => view.getBigInt64(0, true) }],
    [12, { bytes: 8, read: (view: DataView) => view.getFloat64(0, true) }],
  ]);

/** Reads a string, or passes over one that is too long to be of use and gives undefined. */
export function readText(reader: ByteReader, what: string): string | undefined {
  const length = reader.uint64(`the length of ${what}`);
  if (length > LONGEST_TEXT) {
    reader.skip(length, what);
    return undefined;
  }
  const view = reader.bytes(length, what);
  return new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
}

/** Reads one value; undefined for a long string, which is passed over, and of a long array its length only. */
export function readValue(reader: ByteReader, type: number, what: string): unknown {
  if (type === STRING) return readText(reader, what);
  if (type === ARRAY) return readArray(reader, what);
  const fixed = FIXED.get(type);
  if (fixed === undefined) {
    throw new ShapeProblem("bad-gguf", `${what} has value type ${type}, which GGUF does not have`);
  }
  return fixed.read(reader.bytes(fixed.bytes, what));
}

function readArray(reader: ByteReader, what: string): unknown[] | { length: number } {
  const type = reader.uint32(`the element type of ${what}`);
  const length = reader.uint64(`the length of ${what}`);
  const fixed = FIXED.get(type);
  if (fixed !== undefined && length > LONGEST_ARRAY) {
    reader.skip(length * fixed.bytes, what);
    return { length };
  }
  if (type === ARRAY)
    throw new ShapeProblem("bad-gguf", `${what} is an array of arrays, which no reader takes`);
  const values: unknown[] = [];
  for (let index = 0; index < length; index += 1) {
    const value = readValue(reader, type, what);
    if (values.length < LONGEST_ARRAY) values.push(value);
  }
  return length > LONGEST_ARRAY ? { length } : values;
}
