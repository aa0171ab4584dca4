/**
 * Asks systeminformation once what this machine is made of, in a thread that ends afterwards: some of its calls wait
 * for programs synchronously, which would hold up every stream, and its code would stay in memory for nothing.
 */
import { parentPort } from "node:worker_threads";
import si from "systeminformation";
import type { MachineParts } from "./machine.ts";

const [cpu, memory, graphics] = await Promise.allSettled([si.cpu(), si.memLayout(), si.graphics()]);

const modules = memory.status === "fulfilled" ? memory.value.filter((module) => module.size > 0) : [];
const fastest = Math.max(0, ...modules.map((module) => module.clockSpeed ?? 0));
const parts: MachineParts = {
  cpuModel:
    cpu.status === "fulfilled"
      ? `${cpu.value.manufacturer} ${cpu.value.brand}`.trim() || undefined
      : undefined,
  memoryType: modules.map((module) => module.type).find((type) => type !== "" && type !== "Unknown"),
  memoryTransfersPerSecond: fastest > 0 ? fastest * 1_000_000 : undefined,
  memoryModuleCount: modules.some((module) => (module.clockSpeed ?? 0) > 0) ? modules.length : undefined,
  gpuNames:
    graphics.status === "fulfilled" ? graphics.value.controllers.map((gpu) => gpu.model).filter(Boolean) : [],
};
parentPort?.postMessage(parts);
