import fc from "fast-check";
import { expect, it } from "vitest";
import { createSegments } from "../../src/ollama/segments.ts";

/** Chunks of memory of their own, and slices of a larger one, as pools hand them out. */
const chunk = fc
  .tuple(fc.constantFrom(0, 1, 1400, 16_384, 65_400, 70_000), fc.boolean(), fc.nat(255))
  .map(([length, ownsItsMemory, value]) =>
    new Uint8Array(ownsItsMemory ? length : length + 100).fill(value).subarray(0, length),
  );

it("gives back all bytes in order, in pieces that can move to a thread", () => {
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 12 }), fc.boolean(), (chunks, takesChunks) => {
      const whole = Buffer.concat(chunks);
      const segments = createSegments({ takesChunks });
      chunks.forEach(segments.add);
      const pieces = segments.pieces();
      const moved = structuredClone(pieces, { transfer: pieces.map((piece) => piece.buffer) });
      expect(Buffer.concat(moved).equals(whole)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

it("takes long chunks as they are only where it may", () => {
  const long = new Uint8Array(65_400).fill(1);
  const taking = createSegments({ takesChunks: true });
  taking.add(long);
  expect(taking.pieces()).toEqual([long]);
  expect(taking.pieces()[0]?.buffer).toBe(long.buffer);

  const copying = createSegments({ takesChunks: false });
  copying.add(long);
  expect(copying.pieces()[0]?.buffer).not.toBe(long.buffer);
});
