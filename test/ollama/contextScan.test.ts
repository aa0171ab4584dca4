import { describe, expect, it } from "vitest";
import { createContextScan } from "../../src/ollama/contextScan.ts";
import { saltedHash } from "../../src/ollama/saltedHash.ts";

const answer = (response: string, context: string) =>
  Buffer.from(
    JSON.stringify({ model: "m", response, done: true }).replace(
      /\}$/,
      `,"context":${context},"eval_count":3}`,
    ),
  );

describe("createContextScan", () => {
  it("hashes the list as a request with it is hashed, cut at every byte", () => {
    const bytes = answer('a "context":[9] of ""context', "[1,22,333]");
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const scan = createContextScan("salt");
      scan.push(bytes.subarray(0, cut));
      scan.push(bytes.subarray(cut));
      expect(scan.hash()).toBe(saltedHash("salt", [1, 22, 333].join(",")));
    }
  });

  it("says nothing of an empty list, one that never ends, or none", () => {
    for (const bytes of [
      answer("x", "[]"),
      Buffer.from('{"context":[1,2'),
      Buffer.from('{"response":"x"}'),
    ]) {
      const scan = createContextScan("salt");
      scan.push(bytes);
      expect(scan.hash()).toBeUndefined();
    }
  });
});
