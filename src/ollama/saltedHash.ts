import { hash } from "node:crypto";

/**
 * 96 bits of SHA-256 over a secret of this installation and a text: equal texts have equal hashes here, and nobody who
 * has the hashes alone can find out what was said.
 */
export function saltedHash(salt: string, text: string): string {
  return hash("sha256", salt + text, "base64url").slice(0, SALTED_HASH_LENGTH);
}

export const SALTED_HASH_LENGTH = 16;
