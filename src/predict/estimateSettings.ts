import type { MemoryEstimate } from "../types.ts";
import type { ModelShape } from "./modelShape.ts";
import type { CpuKind } from "./repack.ts";

/** Where a model's layers are computed: `metal` shares memory with the host. */
export type Backend = "cpu" | "cuda" | "metal";

/** Which program runs the model: Ollama's child since v0.30, or one of its two engines before. */
export type Engine = "llama-server" | "llama" | "ollama";

export type Assumption = MemoryEstimate["assumptions"][number];

/** What a runner is started with, resolved to one value each. */
export interface EstimateSettings {
  engine: Engine;
  backend: Backend;
  cpu: CpuKind;
  /** Cells over all slots, as the runner is asked for them (`-c`). */
  totalContextLength: number;
  /** Tokens one conversation may hold. */
  contextLength: number;
  parallel: number;
  /** One cache that all slots share. */
  unifiedKv: boolean;
  kvCacheTypeK: string;
  kvCacheTypeV: string;
  batch: number;
  /** Tokens computed at once. */
  ubatch: number;
  flashAttention: boolean;
  /** Sliding layers keep the whole context too. */
  fullSlidingWindow: boolean;
  /** Layers on the device, the output counted as one. */
  offloadedLayers: number;
  mmap: boolean;
  /** Logits are reserved for every token of a batch, not for one a slot (llama.cpp before June 2026). */
  reservesAllLogits: boolean;
  /** Earlier states kept beside each, so that drafted tokens can be taken back. */
  rollbackStates: number;
  promptCacheLimitBytes?: number;
  draft?: ModelShape;
  assumptions: readonly Assumption[];
}

/** Settings that cannot be: `message` names the setting, the value and what is valid. */
export class SettingsProblem extends Error {
  readonly setting: string;

  constructor(setting: string, message: string) {
    super(message);
    this.name = "SettingsProblem";
    this.setting = setting;
  }
}
