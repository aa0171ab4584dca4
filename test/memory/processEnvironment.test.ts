import { spawn } from "node:child_process";
import { performance } from "node:perf_hooks";

import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";

import { readProcessEnvironment, wantedVariables } from "../../src/memory/processEnvironment.ts";
import { spawnHelper } from "../../src/memory/spawn.ts";

it("keeps the wanted variables and nothing else", () => {
  const environ = [
    "PATH=/usr/bin",
    "OLLAMA_KV_CACHE_TYPE=q8_0",
    "HF_TOKEN=hf_secret",
    "LLAMA_ARG_API_KEY_FILE=/etc/key",
    "OLLAMA_ORIGINS=http://private.example",
    "OLLAMA_NUM_PARALLEL=4",
    "LLAMA_ARG_CACHE_RAM=0",
    "OLLAMA_FLASH_ATTENTION=",
    "",
  ].join("\0");
  expect(wantedVariables(environ)).toEqual({
    OLLAMA_KV_CACHE_TYPE: "q8_0",
    OLLAMA_NUM_PARALLEL: "4",
    LLAMA_ARG_CACHE_RAM: "0",
  });
});

it.each([
  ["a value with an equals sign in it", "OLLAMA_NUM_PARALLEL=4=4", {}],
  ["a sentence", "OLLAMA_KV_CACHE_TYPE=my secret words", {}],
  ["something long", `OLLAMA_NUM_PARALLEL=${"9".repeat(33)}`, {}],
  ["two of a name: the first", "OLLAMA_NUM_PARALLEL=2\0OLLAMA_NUM_PARALLEL=3", { OLLAMA_NUM_PARALLEL: "2" }],
  ["no equals sign", "OLLAMA_NUM_PARALLEL", {}],
  ["nothing", "", {}],
])("is careful with %s", (_, environ, expected) => {
  expect(wantedVariables(environ)).toEqual(expected);
});

it("takes any text, and never a value that is no short word", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string(), (noise, value) => {
      const found = wantedVariables(`${noise}\0OLLAMA_KV_CACHE_TYPE=${value}`);
      for (const kept of Object.values(found)) expect(kept).toMatch(/^[\w.,:+-]{1,32}$/);
    }),
  );
});

it.runIf(process.platform === "linux")("reads them from a running process", async () => {
  const child = spawn("sleep", ["30"], {
    env: { PATH: process.env["PATH"], OLLAMA_CONTEXT_LENGTH: "8192", SECRET: "do not look" },
  });
  onTestFinished(() => void child.kill());
  await new Promise((resolve) => setTimeout(resolve, 50));
  const read = await readProcessEnvironment(`/proc/${child.pid}/environ`, { spawn: spawnHelper });
  expect(read).toEqual({ OLLAMA_CONTEXT_LENGTH: "8192" });
});

it("says nothing of a process that is gone", async () => {
  expect(await readProcessEnvironment("/proc/4194304999/environ", { spawn: spawnHelper })).toBeUndefined();
});

it("gives up on a read that hangs, and ends it", async () => {
  let hanging: ReturnType<typeof spawn> | undefined;
  const stuck = (): ReturnType<typeof spawn> => (hanging = spawn("sleep", ["30"]));
  const began = performance.now();
  const read = await readProcessEnvironment("/proc/1/environ", { spawn: stuck, patienceMs: 50 });
  expect(read).toBeUndefined();
  expect(performance.now() - began).toBeLessThan(5000);
  expect(hanging?.killed).toBe(true);
});

it("says nothing where the helper cannot be started", async () => {
  const refused = (): never => {
    throw new Error("EAGAIN");
  };
  expect(await readProcessEnvironment("/proc/1/environ", { spawn: refused })).toBeUndefined();
  const missing = (): ReturnType<typeof spawn> => spawn("/no/such/program");
  expect(await readProcessEnvironment("/proc/1/environ", { spawn: missing })).toBeUndefined();
});
