/** What a remembered turn takes, in a program of its own, where garbage can be collected. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const url = (path: string): string => new URL(path, import.meta.url).href;

const REMEMBER = `
const { createIdentify } = await import("${url("../../src/chats/identify.ts")}");
const { createIds } = await import("${url("../../src/ids.ts")}");
const { asked } = await import("${url("./people.ts")}");
const identify = createIdentify({ newId: createIds(Date.now, "instance") });
const newId = createIds(Date.now, "exchanges");
function ask(count) {
  for (let index = 0; index < count; index += 1) {
    const question = newId();
    const { exchange, facts } = asked({ messages: [["user", question], ["assistant", "yes"], ["user", "and " + question]] });
    exchange.id = newId();
    identify.begin(exchange, facts);
    exchange.state = { phase: "completed", endedAt: exchange.startedAt };
    identify.end(exchange);
  }
}
function usedBytes() {
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}
ask(1000);
const before = usedBytes();
ask(10_000);
console.log((usedBytes() - before) / 10_000);
`;

it("a turn of a conversation of its own takes less than 900 bytes", async () => {
  const args = ["--expose-gc", "--input-type=module", "-e", REMEMBER];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  console.log(`a remembered turn: ${Number(stdout).toFixed(0)} bytes`);
  expect(Number(stdout)).toBeGreaterThan(100);
  expect(Number(stdout)).toBeLessThan(900);
});
