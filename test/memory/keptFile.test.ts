import { spawn } from "node:child_process";
import { once } from "node:events";

import { expect, it } from "vitest";

import { keepFile, type FileCalls } from "../../src/memory/keptFile.ts";
import { fakeTree } from "./fixtures.ts";

/** Files that give their text a few bytes at a time and count what is opened and closed. */
function fakeCalls(options: { text: () => string; stepBytes?: number }) {
  const revoked = new Map<number, string>();
  let opens = 0;
  const open = new Set<number>();
  const calls: FileCalls = {
    open: () => {
      opens += 1;
      open.add(opens);
      return opens;
    },
    read: (descriptor, buffer, position) => {
      const code = revoked.get(descriptor);
      if (code !== undefined) throw Object.assign(new Error(code), { code });
      const bytes = Buffer.from(options.text(), "latin1").subarray(position);
      return bytes.copy(buffer, position, 0, options.stepBytes ?? bytes.length);
    },
    close: (descriptor) => void open.delete(descriptor),
  };
  return {
    calls,
    revoke: (code: string) => revoked.set(opens, code),
    opens: () => opens,
    openNow: () => open.size,
  };
}

it("reads the same descriptor again from its start", () => {
  let text = "one";
  const files = fakeCalls({ text: () => text });
  const file = keepFile("/proc/x", { calls: files.calls });
  expect(file.read()).toBe("one");
  text = "two is longer";
  expect(file.read()).toBe("two is longer");
  expect(files.opens()).toBe(1);
});

it("joins what the kernel hands out a page at a time", () => {
  const text = "pswpout 1\n".repeat(700);
  const files = fakeCalls({ text: () => text, stepBytes: 4096 });
  expect(keepFile("/proc/vmstat", { calls: files.calls }).read()).toBe(text);
});

it("reads no more than its buffer holds", () => {
  const files = fakeCalls({ text: () => "x".repeat(100_000) });
  expect(keepFile("/proc/x", { calls: files.calls }).read()).toHaveLength(64 * 1024);
});

it.each(["ESRCH", "EBADF", "ENODEV"])(
  "opens again when the kernel took the descriptor away with %s",
  (code) => {
    const files = fakeCalls({ text: () => "text" });
    const file = keepFile("/proc/x", { calls: files.calls });
    file.read();
    files.revoke(code);
    expect(file.read()).toBe("text");
    expect(files.opens()).toBe(2);
    expect(files.openNow()).toBe(1);
  },
);

it("never opens the file of an ended process again: its number may be another one's by now", () => {
  const files = fakeCalls({ text: () => "text" });
  const file = keepFile("/proc/7/status", { reopen: false, calls: files.calls });
  file.read();
  files.revoke("ESRCH");
  expect(file.read()).toBeUndefined();
  expect(file.read()).toBeUndefined();
  expect(files.opens()).toBe(1);
  expect(files.openNow()).toBe(0);
});

it("is absent while a file does not exist and there once it does", () => {
  const tree = fakeTree();
  const file = keepFile(`${tree.root}/late`);
  expect(file.read()).toBeUndefined();
  tree.write("late", "now");
  expect(file.read()).toBe("now");
  file.close();
});

it.runIf(process.platform === "linux")("loses a real process when it ends", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  await once(child, "spawn");
  const file = keepFile(`/proc/${child.pid}/status`, { reopen: false });
  expect(file.read()).toMatch(/^RssAnon:/m);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(file.read()).toBeUndefined();
});
