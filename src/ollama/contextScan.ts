import { createHash } from "node:crypto";
import { SALTED_HASH_LENGTH } from "./saltedHash.ts";

const NAME = Buffer.from('"context":[');
const CLOSE_LIST = 0x5d;

/** Looks for the token list of a generate in the bytes that pass, without keeping any. */
export interface ContextScan {
  push(bytes: Uint8Array): void;
  /** The salted hash of the list as text, once it has passed and is not empty. */
  hash(): string | undefined;
}

/**
 * The bytes are JSON as Go writes it, without spaces; in a text the quotes of the name would have backslashes before
 * them, so the first match is the list.
 */
export function createContextScan(salt: string): ContextScan {
  const digest = createHash("sha256").update(salt);
  let matched = 0;
  let inside = false;
  let length = 0;
  let result: string | undefined;
  let done = false;

  /** Index behind the name, or the end of the bytes. */
  function findName(bytes: Uint8Array): number {
    let index = 0;
    while (index < bytes.length && matched < NAME.length) {
      const byte = bytes[index];
      if (byte === NAME[matched]) {
        matched += 1;
      } else {
        // Its first byte occurs only once more, just before the colon: no longer beginning of it can be left over.
        matched = byte === NAME[0] ? 1 : 0;
      }
      index += 1;
    }
    inside = matched === NAME.length;
    return index;
  }

  return {
    push(bytes) {
      if (done) {
        return;
      }
      const start = inside ? 0 : findName(bytes);
      if (!inside) {
        return;
      }
      const close = bytes.indexOf(CLOSE_LIST, start);
      const piece = bytes.subarray(start, close === -1 ? bytes.length : close);
      length += piece.length;
      digest.update(piece);
      if (close !== -1) {
        done = true;
        result = length > 0 ? digest.digest("base64url").slice(0, SALTED_HASH_LENGTH) : undefined;
      }
    },
    hash: () => result,
  };
}
