/** SHA-256 of what the mock received and sent, to be compared with what the driver sent and received. */
import { createHash, type Hash } from "node:crypto";

export interface Digests {
  requestSha256: string;
  answerSha256: string;
}

export interface DigestKeeper {
  /** Off by default: hashing has no place in a measurement of time. */
  enable(on: boolean): void;
  /** Of the newest exchange that ended while enabled. */
  last(): Digests | undefined;
  /** `kept` is false for requests that a target makes of its own accord. */
  open(kept: boolean): { request(bytes: Buffer): void; answer(payload: string): void; end(): void };
}

export function createDigestKeeper(): DigestKeeper {
  let enabled = false;
  let last: Digests | undefined;
  return {
    enable(on) {
      enabled = on;
      last = undefined;
    },
    last: () => last,
    open(kept) {
      const hashes: { request: Hash; answer: Hash } | undefined =
        enabled && kept ? { request: createHash("sha256"), answer: createHash("sha256") } : undefined;
      return {
        request: (bytes) => void hashes?.request.update(bytes),
        answer: (payload) => void hashes?.answer.update(payload, "latin1"),
        end() {
          if (hashes !== undefined) {
            last = { requestSha256: hashes.request.digest("hex"), answerSha256: hashes.answer.digest("hex") };
          }
        },
      };
    },
  };
}
