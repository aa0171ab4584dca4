import { expect, it } from "vitest";
import { createTap } from "../../src/proxy/tap.ts";

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("reads nothing in the turn in which chunks arrive, and everything in the next", async () => {
  const read: string[] = [];
  const open = createTap(() => {});
  const [left, right] = [open((chunk) => read.push(`l${chunk}`)), open((chunk) => read.push(`r${chunk}`))];
  left.show(Buffer.from("1"));
  right.show(Buffer.from("2"));
  left.show(Buffer.from("3"));
  expect(read).toEqual([]);
  await nextTurn();
  expect(read).toEqual(["l1", "l3", "r2"]);
});

it("drains at once when asked, and each chunk once", async () => {
  const read: string[] = [];
  const look = createTap(() => {})((chunk) => read.push(String(chunk)));
  look.show(Buffer.from("1"));
  look.drain();
  look.show(Buffer.from("2"));
  await nextTurn();
  expect(read).toEqual(["1", "2"]);
});

it("switches off a reader that throws, tells once, and goes on with the others", async () => {
  const failures: unknown[] = [];
  const read: string[] = [];
  const open = createTap((error) => failures.push(error));
  const broken = open(() => {
    throw new Error("broken");
  });
  const fine = open((chunk) => read.push(String(chunk)));
  broken.show(Buffer.from("1"));
  fine.show(Buffer.from("2"));
  await nextTurn();
  broken.show(Buffer.from("3"));
  await nextTurn();
  expect(read).toEqual(["2"]);
  expect(failures).toHaveLength(1);
});
