/** Estimates and tables for people. */
import type { WhatIfTable } from "../predict/whatIf.ts";
import type { PredictAnswer } from "../types.ts";

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

export function printEstimate(subject: string, answer: PredictAnswer, explain: boolean): string {
  const { fit } = answer;
  const lines = [
    subject,
    ...row("weights", both(answer.weightsBytes)),
    ...row("KV cache", both(answer.kvCacheBytes), `${bytes(answer.kvBytesPerToken)} a token`),
    ...row("state", both(answer.recurrentStateBytes) || undefined),
    ...row("compute", both(answer.computeBytes)),
    ...row("output", answer.outputBytes),
    ...row("process", answer.processBytes),
    ...row("total", answer.totalBytes),
    ...row("resident after loading", answer.residentHostBytes),
    ...row("prompt cache, up to", answer.promptCacheLimitBytes),
    "",
    verdictLine(answer),
    ...(fit.largestContextThatFits === undefined
      ? []
      : [`  largest context that fits: ${fit.largestContextThatFits}`]),
  ];
  if (answer.speed !== undefined) {
    lines.push("", ...speedLines(answer));
  }
  if (explain) {
    lines.push(
      "",
      "The sum:",
      ...answer.explanation.map(
        (line) => `  ${bytes(line.bytes).padStart(12)}  ${line.label}: ${line.formula}`,
      ),
    );
  }
  lines.push(
    "",
    "Based on:",
    ...answer.assumptions.map(({ name, value, provenance }) => `  ${name}: ${value} (${provenance})`),
  );
  return `${lines.join("\n")}\n`;
}

/** Depths a reader can take in at a glance, the last one always. */
const MOST_DEPTHS = 6;

function speedLines({ speed, halfSpeedDepthTokens }: PredictAnswer): string[] {
  const rates = speed?.decodeTokensPerSecond ?? [];
  const shown =
    rates.length <= MOST_DEPTHS ? rates : [...rates.slice(0, MOST_DEPTHS - 1), ...rates.slice(-1)];
  return [
    "Tokens per second, by tokens in context:",
    ...shown.map(
      ({ depth, value, low, high }) =>
        `  ${String(depth).padStart(8)}  ${rate(value).padStart(7)}  (${rate(low)} to ${rate(high)})`,
    ),
    ...(halfSpeedDepthTokens === undefined
      ? []
      : [`  half as fast as with an empty context from ${halfSpeedDepthTokens} tokens on`]),
  ];
}

function rate(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function printTable(table: WhatIfTable): string {
  const contexts = [...new Set(table.cells.map((cell) => cell.contextLength))];
  const rows = [...new Set(table.cells.map((cell) => rowName(cell)))];
  const textOf = (cell: WhatIfTable["cells"][number] | undefined): string =>
    cell === undefined ? "" : `${bytes(cell.totalBytes ?? cell.kvCacheBytes)} ${cell.fit.verdict}`;
  const width = Math.max(18, ...table.cells.map((cell) => textOf(cell).length + 2));
  const head = ["".padEnd(20), ...contexts.map((context) => String(context).padStart(width))].join("");
  const body = rows.map((name) =>
    [
      name.padEnd(20),
      ...contexts.map((context) => {
        const cell = table.cells.find((one) => rowName(one) === name && one.contextLength === context);
        return textOf(cell).padStart(width);
      }),
      ...speedRow(
        contexts.map((context) =>
          table.cells.find((one) => rowName(one) === name && one.contextLength === context),
        ),
        width,
      ),
    ].join(""),
  );
  const notes = table.notYet.map((type) => `${type.kvCacheType}: ${type.note}`);
  const losses = table.cells.flatMap(({ quantization, loss }) =>
    quantization === undefined || loss === undefined ? [] : [`${quantization}: ${JSON.stringify(loss)}`],
  );
  return `${[head, ...body, "", ...new Set(losses), ...notes].join("\n")}\n`;
}

/** A second line under the bytes, when any cell of the row has a speed. */
function speedRow(cells: readonly (WhatIfTable["cells"][number] | undefined)[], width: number): string[] {
  const rates = cells.map((cell) => cell?.decodeTokensPerSecond?.value);
  return rates.every((value) => value === undefined)
    ? []
    : [
        `\n${"".padEnd(20)}`,
        ...rates.map((value) => (value === undefined ? "" : `${rate(value)} tok/s`).padStart(width)),
      ];
}

function rowName(cell: WhatIfTable["cells"][number]): string {
  return [cell.quantization, cell.kvCacheType].filter((word) => word !== undefined).join(" ");
}

function verdictLine({ fit }: PredictAnswer): string {
  const headroom = fit.headroomBytes === undefined ? "" : ` (${bytes(fit.headroomBytes)} before swap now)`;
  switch (fit.verdict) {
    case "fits":
      return `It fits${headroom}.`;
    case "tight":
      return `It fits, but it is tight${headroom}.`;
    case "overflows":
      return `It does not fit: ${bytes(fit.shortBytes ?? 0)} short${headroom}.`;
    case "unknown":
      return "Whether it fits is not known: this memory is not visible from here, or a part is missing.";
  }
}

function row(label: string, value: number | undefined, note = ""): string[] {
  return value === undefined ? [] : [`  ${label.padEnd(24)}${bytes(value).padStart(12)}  ${note}`.trimEnd()];
}

function both(split: { hostBytes: number; deviceBytes: number } | undefined): number | undefined {
  return split === undefined ? undefined : split.hostBytes + split.deviceBytes;
}

function bytes(value: number): string {
  if (Math.abs(value) >= GIB) {
    return `${(value / GIB).toFixed(2)} GiB`;
  }
  return Math.abs(value) >= MIB ? `${(value / MIB).toFixed(2)} MiB` : `${(value / 1024).toFixed(1)} KiB`;
}
