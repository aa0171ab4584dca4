import { expect, it } from "vitest";

import {
  isCandidateName,
  selectOllamaProcesses,
  type ProcessFacts,
} from "../../src/memory/runnerProcesses.ts";
import { DIGEST } from "./fixtures.ts";

const BLOB = `/models/blobs/sha256-${DIGEST}`;
const serve: ProcessFacts = { pid: 10, parentPid: 1, argv: ["/usr/bin/ollama", "serve"] };

function runnersAmong(candidates: ProcessFacts[], parents: Record<number, number> = {}): number[] {
  return selectOllamaProcesses(candidates, (pid) => parents[pid]).runners.map(({ pid }) => pid);
}

it.each([
  ["llama-server under ollama serve", ["/usr/lib/ollama/llama-server", "--model", BLOB]],
  [
    "a runner of the same binary",
    ["/usr/bin/ollama", "runner", "--ollama-engine", "--model", BLOB, "--port", "1"],
  ],
  ["the runner binary before v0.5.2", ["/tmp/ollama1/runners/cpu/ollama_llama_server", "--model", BLOB]],
  [
    "an MLX runner, whose model is no path",
    ["/usr/bin/ollama", "runner", "--mlx-engine", "--model", "gemma3"],
  ],
])("knows %s", (_, argv) => {
  expect(runnersAmong([serve, { pid: 20, parentPid: 10, argv }])).toEqual([20]);
});

it.each([
  ["a probe without a model", ["/usr/lib/ollama/llama-server", "--list-devices"]],
  ["a bootstrap runner without a model", ["/usr/bin/ollama", "runner", "--ollama-engine", "--port", "1"]],
  ["the command line client", ["/usr/bin/ollama", "run", "gemma3"]],
  ["another program", ["/usr/bin/python3", "--model", BLOB]],
])("passes over %s", (_, argv) => {
  expect(runnersAmong([serve, { pid: 20, parentPid: 10, argv }])).toEqual([]);
});

it("passes over a user's own llama-server, even on one of Ollama's blobs", () => {
  const own = { pid: 20, parentPid: 1, argv: ["/home/jo/llama.cpp/llama-server", "--model", BLOB] };
  expect(runnersAmong([serve, own])).toEqual([]);
});

it("knows Ollama's own binary by its blob when its server is gone or out of sight", () => {
  const orphan = { pid: 20, parentPid: 1, argv: ["ollama", "runner", "--model", BLOB, "--port", "1"] };
  const stranger = { pid: 21, parentPid: 1, argv: ["ollama", "runner", "--model", "/tmp/x.gguf"] };
  expect(runnersAmong([orphan, stranger])).toEqual([20]);
});

it("looks past wrappers between server and runner, and is not caught in a circle of parents", () => {
  const runner = { pid: 20, parentPid: 15, argv: ["llama-server", "--model", BLOB] };
  expect(runnersAmong([serve, runner], { 15: 14, 14: 10 })).toEqual([20]);
  expect(runnersAmong([serve, runner], { 15: 14, 14: 15 })).toEqual([]);
});

it("names the servers and describes the runners", () => {
  const argv = ["llama-server", "--model", BLOB, "-c", "8192", "-np", "2"];
  const runner = { pid: 20, parentPid: 10, argv, startTicks: 77, startedAt: 1_795_225_505_000 };
  expect(selectOllamaProcesses([serve, runner], () => undefined)).toEqual({
    serverPids: [10],
    runners: [
      {
        pid: 20,
        startTicks: 77,
        parentPid: 10,
        startedAt: 1_795_225_505_000,
        blobDigest: DIGEST,
        modelPath: BLOB,
        argv,
        settings: expect.objectContaining({ contextLength: 4096, parallel: 2 }),
      },
    ],
  });
});

it.each([
  ["ollama", true],
  ["ollama_llama_se", true],
  ["llama-server", true],
  ["node", false],
])("looks closer at a process called %s: %j", (name, expected) => {
  expect(isCandidateName(name)).toBe(expected);
});
