import fc from "fast-check";
import { expect, it } from "vitest";
import { createChunkList } from "../../src/ollama/chunkList.ts";

it("gives back all bytes in order, few chunks as they came", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 200 }), (chunks) => {
      const list = createChunkList();
      for (const chunk of chunks) list.add(chunk);
      expect(list.all().map((chunk) => [...chunk])).toEqual(chunks.map((chunk) => [...chunk]));
    }),
  );
});

it("keeps a body of 100,000 single bytes in about a thousand chunks", () => {
  const list = createChunkList();
  for (let index = 0; index < 100_000; index += 1) list.add(Uint8Array.of(index % 251));
  const all = list.all();
  expect(all.length).toBeLessThan(1200);
  expect(Buffer.concat(all).every((byte, index) => byte === index % 251)).toBe(true);
  expect(Buffer.concat(all)).toHaveLength(100_000);
});
