/** Memory bandwidth of chips, as their makers specify it. */

export interface Chip {
  /** As it appears in the name a system gives. */
  name: string;
  /** GB/s (10⁹ bytes); two figures where the name covers variants. */
  low: number;
  high?: number;
  kind: "unified" | "discrete";
  source: ChipSource;
}

export type ChipSource = "apple.com/specs" | "nvidia.com/specs" | "amd.com/specs" | "intel.com/specs";

/** Name, GB/s, GB/s of the fastest variant of that name. */
type Row = [string, number, number?];

const APPLE: Row[] = [
  ["Apple M1", 68],
  ["Apple M1 Pro", 200],
  ["Apple M1 Max", 400],
  ["Apple M1 Ultra", 800],
  ["Apple M2", 100],
  ["Apple M2 Pro", 200],
  ["Apple M2 Max", 400],
  ["Apple M2 Ultra", 800],
  ["Apple M3", 100],
  ["Apple M3 Pro", 150],
  ["Apple M3 Max", 300, 400],
  ["Apple M3 Ultra", 819],
  ["Apple M4", 120],
  ["Apple M4 Pro", 273],
  ["Apple M4 Max", 410, 546],
  ["Apple M5", 153],
  ["Apple M5 Pro", 307],
  ["Apple M5 Max", 460, 614],
];

const AMD_UNIFIED: Row[] = [
  ["Ryzen AI MAX+ 395", 256],
  ["Ryzen AI MAX+ PRO 395", 256],
  ["Ryzen AI MAX 390", 256],
  ["Ryzen AI MAX PRO 390", 256],
  ["Ryzen AI MAX 385", 256],
  ["Ryzen AI MAX 380", 256],
];

const NVIDIA: Row[] = [
  ["RTX 3050", 168, 224],
  ["RTX 3060", 240, 360],
  ["RTX 3060 Ti", 448, 608],
  ["RTX 3070", 448],
  ["RTX 3070 Ti", 608],
  ["RTX 3080", 760, 912],
  ["RTX 3080 Ti", 912],
  ["RTX 3090", 936],
  ["RTX 3090 Ti", 1008],
  ["RTX 4060", 272],
  ["RTX 4060 Ti", 288],
  ["RTX 4070", 504],
  ["RTX 4070 SUPER", 504],
  ["RTX 4070 Ti", 504],
  ["RTX 4070 Ti SUPER", 672],
  ["RTX 4080", 717],
  ["RTX 4080 SUPER", 736],
  ["RTX 4090", 1008],
  ["RTX 5060", 448],
  ["RTX 5060 Ti", 448],
  ["RTX 5070", 672],
  ["RTX 5070 Ti", 896],
  ["RTX 5080", 960],
  ["RTX 5090", 1792],
  ["RTX A6000", 768],
  ["RTX 6000 Ada Generation", 960],
  ["Tesla T4", 320],
  ["NVIDIA A10", 600],
  ["NVIDIA L4", 300],
  ["NVIDIA L40S", 864],
  ["NVIDIA A100-SXM4-40GB", 1555],
  ["NVIDIA A100-SXM4-80GB", 2039],
  ["NVIDIA A100 80GB PCIe", 1935],
  ["NVIDIA H100 PCIe", 2000],
  ["NVIDIA H100 80GB HBM3", 3350],
  ["NVIDIA H200", 4800],
  ["NVIDIA GB10", 273],
];

const AMD: Row[] = [
  ["Radeon RX 6800 XT", 512],
  ["Radeon RX 6900 XT", 512],
  ["Radeon RX 7800 XT", 624],
  ["Radeon RX 7900 XT", 800],
  ["Radeon RX 7900 XTX", 960],
  ["Radeon RX 9070", 640],
  ["Radeon RX 9070 XT", 640],
];

const INTEL: Row[] = [
  ["Arc A750", 512],
  ["Arc A770", 560],
  ["Arc B580", 456],
  ["Arc Pro B70", 608],
];

function chips(rows: readonly Row[], kind: Chip["kind"], source: ChipSource): Chip[] {
  return rows.map(([name, low, high]) =>
    high === undefined ? { name, low, kind, source } : { name, low, high, kind, source },
  );
}

export const CHIPS: readonly Chip[] = [
  ...chips(APPLE, "unified", "apple.com/specs"),
  ...chips(AMD_UNIFIED, "unified", "amd.com/specs"),
  ...chips(NVIDIA, "discrete", "nvidia.com/specs"),
  ...chips(AMD, "discrete", "amd.com/specs"),
  ...chips(INTEL, "discrete", "intel.com/specs"),
];
