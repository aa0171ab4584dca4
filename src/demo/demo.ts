/** Everything simulated, ready to be put around a real Plimsoll: an Ollama, a machine, people who chat, and one clock for all. */
import type { Log } from "../types.ts";
import { startChats, type Chats } from "./chats.ts";
import { createClock } from "./clock.ts";
import { createScriptedMachine, type ScriptedMachine } from "./scriptedMachine.ts";
import { createSimulatedOllama, type SimulatedOllama } from "./simulatedOllama.ts";

export interface Demo {
  upstream: SimulatedOllama;
  machine: ScriptedMachine;
  /** The demo's time, in whole milliseconds: give it to the app, or its figures and Ollama's will not agree. */
  now: () => number;
  monotonic: () => number;
  /** Lets the clients talk through this address until stopped. */
  startChats(baseUrl: string): Chats;
}

export function createDemo(options: { speed?: number; seed?: number; log?: Log } = {}): Demo {
  const { speed = 4, seed = 1, log } = options;
  const clock = createClock({ speed });
  const upstream = createSimulatedOllama({
    clock,
    seed,
    models: ["llama3.1:8b", "qwen2.5-coder:1.5b", "nomic-embed-text:latest"],
    slowdown: () => machine.slowdown(),
  });
  const machine = createScriptedMachine({ clock, seed, runners: () => upstream.memory().runners });
  return {
    upstream,
    machine,
    now: () => Math.round(clock.now()),
    monotonic: clock.monotonic,
    startChats: (baseUrl) => startChats({ baseUrl, clock, seed, ...(log === undefined ? {} : { log }) }),
  };
}
