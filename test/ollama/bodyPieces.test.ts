import fc from "fast-check";
import { expect, it } from "vitest";
import { createBodyPieces } from "../../src/ollama/bodyPieces.ts";

/** Chunks of memory of their own, and slices of a larger one, as pools hand them out. */
const chunk = fc
  .tuple(fc.constantFrom(0, 1, 1400, 16_384, 65_400, 70_000), fc.boolean(), fc.nat(255))
  .map(([length, ownsItsMemory, value]) =>
    new Uint8Array(ownsItsMemory ? length : length + 100).fill(value).subarray(0, length),
  );

it("gives back all bytes in order, in pieces that can move to a thread", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(chunk, fc.boolean()), { maxLength: 12 }),
      fc.boolean(),
      (steps, takesChunks) => {
        const whole = Buffer.concat(steps.map(([bytes]) => bytes));
        const pieces = createBodyPieces({ takesChunks });
        const moved: Uint8Array[] = [];
        const move = (): void => {
          const held = pieces.byteLength();
          const moving = pieces.take();
          expect(moving.reduce((sum, { length }) => sum + length, 0)).toBe(held);
          moved.push(...structuredClone(moving, { transfer: moving.map((piece) => piece.buffer) }));
        };
        for (const [bytes, movesAfter] of steps) {
          pieces.add(bytes);
          if (movesAfter) move();
        }
        move();
        expect(Buffer.concat(moved).equals(whole)).toBe(true);
      },
    ),
    { numRuns: 50 },
  );
});

it("takes long chunks as they are only where it may", () => {
  const long = new Uint8Array(65_400).fill(1);
  const taking = createBodyPieces({ takesChunks: true });
  expect(taking.add(long)).toBe(true);
  expect(taking.take()[0]?.buffer).toBe(long.buffer);

  const copying = createBodyPieces({ takesChunks: false });
  expect(copying.add(long)).toBe(false);
  expect(copying.take()[0]?.buffer).not.toBe(long.buffer);
});
