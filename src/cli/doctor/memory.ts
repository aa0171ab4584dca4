/** What of this machine's memory can be seen, and why not. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { MemorySource } from "../../memory/sampler.ts";
import { bytesText } from "../../predict/figureText.ts";
import type { MemorySample } from "../../types.ts";
import type { Check } from "./check.ts";

/** Helpers of other systems, and `nvidia-smi`, need a moment for their first line. */
const PATIENCE_MS = 3000;

/** One reading, after which graphics cards had their time to answer. */
export async function readOnce(
  source: MemorySource,
  waitFor: (sample: MemorySample) => boolean,
): Promise<MemorySample | undefined> {
  source.setDeviceInUse(true);
  const deadline = performance.now() + PATIENCE_MS;
  let sample = source.read();
  while (
    (sample === undefined || !waitFor(sample)) &&
    performance.now() < deadline &&
    source.state === "on"
  ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    sample = source.read() ?? sample;
  }
  return sample;
}

export function checkMemory(
  state: MemorySource["state"],
  sample: MemorySample | undefined,
  facts: { problems: readonly string[]; inContainer: boolean; runners: number },
): Check {
  const id = "memory";
  if (sample === undefined) {
    return {
      id,
      state: "warning",
      text: facts.problems[0] ?? "memory cannot be read here",
      advice: [
        state === "remote"
          ? "run Plimsoll on the machine that Ollama runs on to see its memory"
          : "chats are forwarded and recorded all the same",
      ],
    };
  }
  const parts = [
    sample.totalBytes === undefined ? [] : [bytesText(sample.totalBytes)],
    sample.headroomBytes === undefined ? [] : [`${bytesText(sample.headroomBytes)} before swapping starts`],
    sample.swapTotalBytes === undefined
      ? []
      : [
          sample.swapTotalBytes === 0
            ? "no swap"
            : `swap ${bytesText(sample.swapUsedBytes ?? 0)} of ${bytesText(sample.swapTotalBytes)} used`,
        ],
    [
      facts.runners === 0
        ? "no runner of Ollama is visible now"
        : `${facts.runners} of Ollama's runners visible`,
    ],
  ].flat();
  const container = facts.inContainer
    ? [
        `this is a container: the figures are the host's (or its virtual machine's)${facts.runners === 0 ? ", and runners are visible only with pid: host" : ""}`,
      ]
    : [];
  const advice = [...facts.problems, ...container];
  return {
    id,
    state: advice.length === 0 ? "good" : "note",
    text: parts.join(", "),
    ...(advice.length > 0 && { advice }),
  };
}

export function checkGpu(
  sample: MemorySample | undefined,
  facts: { tool: string | undefined; platform: NodeJS.Platform },
): Check {
  const id = "gpu";
  const cards = (sample?.gpus ?? []).map(
    ({ name, vendor, totalBytes }) =>
      `${name ?? vendor}${totalBytes === undefined ? "" : ` ${bytesText(totalBytes)}`}`,
  );
  if (cards.length > 0) {
    const by = sample?.gpus.some(({ vendor }) => vendor === "nvidia") === true ? "nvidia-smi" : "sysfs";
    return { id, state: "good", text: `${cards.join(", ")} (by ${by})` };
  }
  if (facts.tool !== undefined) {
    return {
      id,
      state: "warning",
      text: `${facts.tool} is installed but told nothing within ${PATIENCE_MS / 1000} s`,
      advice: ["run nvidia-smi by hand: it says what is wrong with the driver"],
    };
  }
  return {
    id,
    state: "note",
    text:
      facts.platform === "darwin"
        ? "graphics memory is the machine's own memory here, and counted there"
        : "no graphics card whose memory can be read (AMD through sysfs, NVIDIA through nvidia-smi)",
  };
}

/** Where a program lies on the search path. */
export function findProgram(name: string, environment: NodeJS.ProcessEnv): string | undefined {
  return (environment["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, process.platform === "win32" ? `${name}.exe` : name))
    .find((file) => existsSync(file));
}
