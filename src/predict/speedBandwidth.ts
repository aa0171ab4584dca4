/** What is known of a chip's memory bandwidth from its name alone. */
import { CHIPS, type ChipSource } from "./speedChips.ts";

/** As the maker states it; real reads reach less, see `decodePrior`. */
export interface Bandwidth {
  /** Middle of the variants that share the name. */
  bytesPerSecond: number;
  lowBytesPerSecond: number;
  highBytesPerSecond: number;
  /** `unified`: processor and graphics share this memory. */
  kind: "unified" | "discrete";
  chip: string;
  source: ChipSource;
}

/** Notebook editions share their name with a faster desktop card, and every maker sets their memory differently. */
const NOTEBOOK = /laptop|mobile|max-q/i;

/**
 * Bandwidth of a processor or graphics card by the name that the system gives it (`os.cpus()`, `nvidia-smi`, sysfs).
 * Undefined for a processor with memory modules, whose name says nothing of them: measure those.
 */
export function bandwidthOf(name: string): Bandwidth | undefined {
  const wanted = ` ${plain(name)} `;
  if (NOTEBOOK.test(name)) {
    return undefined;
  }
  const chip = CHIPS.filter((candidate) => wanted.includes(` ${plain(candidate.name)} `)).toSorted(
    (left, right) => right.name.length - left.name.length,
  )[0];
  if (chip === undefined) {
    return undefined;
  }
  const { low, high = low, kind, source } = chip;
  return {
    bytesPerSecond: ((low + high) / 2) * 1e9,
    lowBytesPerSecond: low * 1e9,
    highBytesPerSecond: high * 1e9,
    kind,
    chip: chip.name,
    source,
  };
}

/** Lower case without marks, so that `(TM)`, hyphens and doubled blanks do not hide a name. */
function plain(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/\((?:r|tm|c)\)/g, " ")
    .replaceAll(/[^a-z0-9+]+/g, " ")
    .trim();
}
