import type { Exchange, Load, SamplePoint } from "../types.ts";
import type { Column } from "./csv.ts";

/** The columns of `format=csv`. Headings are the JSON names, so that both forms of an answer speak alike. */
export const exchangeColumns: Column<Exchange>[] = [
  { heading: "id", cell: (row) => row.id },
  { heading: "startedAt", cell: (row) => row.startedAt },
  { heading: "endedAt", cell: (row) => ("endedAt" in row.state ? row.state.endedAt : undefined) },
  {
    heading: "firstTokenAt",
    cell: (row) => ("firstTokenAt" in row.state ? row.state.firstTokenAt : undefined),
  },
  { heading: "phase", cell: (row) => row.state.phase },
  { heading: "errorCode", cell: (row) => (row.state.phase === "failed" ? row.state.error.code : undefined) },
  { heading: "operation", cell: (row) => row.operation },
  { heading: "dialect", cell: (row) => row.dialect },
  { heading: "method", cell: (row) => row.method },
  { heading: "path", cell: (row) => row.path },
  { heading: "status", cell: (row) => row.status },
  { heading: "model", cell: (row) => row.model },
  { heading: "client", cell: (row) => row.client.name ?? row.client.userAgent },
  { heading: "clientAddress", cell: (row) => row.client.address },
  { heading: "conversationId", cell: (row) => row.conversationId },
  { heading: "turn", cell: (row) => row.turn },
  { heading: "stream", cell: (row) => row.stream },
  { heading: "requestBytes", cell: (row) => row.requestBytes },
  { heading: "responseBytes", cell: (row) => row.responseBytes },
  { heading: "inputTokens", cell: (row) => row.usage?.inputTokens },
  { heading: "cachedInputTokens", cell: (row) => row.usage?.cachedInputTokens },
  { heading: "outputTokens", cell: (row) => row.usage?.outputTokens },
  { heading: "totalMs", cell: (row) => row.usage?.totalMs },
  { heading: "queueMs", cell: (row) => row.usage?.queueMs },
  { heading: "loadMs", cell: (row) => row.usage?.loadMs },
  { heading: "prefillMs", cell: (row) => row.usage?.prefillMs },
  { heading: "decodeMs", cell: (row) => row.usage?.decodeMs },
  { heading: "doneReason", cell: (row) => row.usage?.doneReason },
  { heading: "provenance", cell: (row) => row.usage?.provenance },
  { heading: "requestedContextLength", cell: (row) => row.requestedContextLength },
  { heading: "contextLength", cell: (row) => row.contextLength },
  { heading: "contextTokensUsed", cell: (row) => row.contextTokensUsed },
  { heading: "notices", cell: (row) => row.notices.map((notice) => notice.kind).join(" ") || undefined },
];

export const loadColumns: Column<Load>[] = [
  { heading: "id", cell: (row) => row.id },
  { heading: "startedAt", cell: (row) => row.startedAt },
  { heading: "endedAt", cell: (row) => row.endedAt },
  { heading: "unloadedAt", cell: (row) => row.unloadedAt },
  { heading: "model", cell: (row) => row.model },
  { heading: "digest", cell: (row) => row.digest },
  { heading: "cause", cell: (row) => row.cause },
  { heading: "exchangeId", cell: (row) => row.exchangeId },
  { heading: "client", cell: (row) => row.client },
  { heading: "previousClient", cell: (row) => row.previousClient },
  {
    heading: "differences",
    cell: (row) =>
      row.differences?.map(({ option, from, to }) => `${option} ${from ?? "?"} → ${to ?? "?"}`).join("; ") ||
      undefined,
  },
  { heading: "loadMs", cell: (row) => row.loadMs },
  { heading: "lostBytes", cell: (row) => row.lostBytes },
  { heading: "contextLength", cell: (row) => row.contextLength },
  { heading: "parallel", cell: (row) => row.parallel },
  { heading: "kvCacheTypeK", cell: (row) => row.settings?.kvCacheTypeK },
  { heading: "kvCacheTypeV", cell: (row) => row.settings?.kvCacheTypeV },
  { heading: "claimedBytes", cell: (row) => row.claimedBytes },
  { heading: "claimedDeviceBytes", cell: (row) => row.claimedDeviceBytes },
  { heading: "predictedBytes", cell: (row) => row.predicted?.residentHostBytes },
  { heading: "measuredAnonymousBytes", cell: (row) => row.measured?.anonymousBytes },
  { heading: "measuredFileBytes", cell: (row) => row.measured?.fileBytes },
];

export const sampleColumns: Column<SamplePoint>[] = [
  { heading: "takenAt", cell: (row) => row.takenAt },
  { heading: "spanSeconds", cell: (row) => row.spanSeconds },
  { heading: "totalBytes", cell: (row) => row.totalBytes },
  { heading: "availableBytes", cell: (row) => row.availableBytes },
  { heading: "headroomBytes", cell: (row) => row.headroomBytes },
  { heading: "headroomBytesMin", cell: (row) => row.min?.headroomBytes },
  { heading: "floorBytes", cell: (row) => row.floorBytes },
  { heading: "anonymousBytes", cell: (row) => row.anonymousBytes },
  { heading: "mappedBytes", cell: (row) => row.mappedBytes },
  { heading: "swapTotalBytes", cell: (row) => row.swapTotalBytes },
  { heading: "swapUsedBytes", cell: (row) => row.swapUsedBytes },
  { heading: "swapOutBytesPerSecond", cell: (row) => row.swapOutBytesPerSecond },
  { heading: "swapOutBytesPerSecondMax", cell: (row) => row.max?.swapOutBytesPerSecond },
  { heading: "swapInBytesPerSecond", cell: (row) => row.swapInBytesPerSecond },
  { heading: "swapInBytesPerSecondMax", cell: (row) => row.max?.swapInBytesPerSecond },
  { heading: "refaultBytesPerSecond", cell: (row) => row.refaultBytesPerSecond },
  { heading: "kswapdScanPerSecond", cell: (row) => row.kswapdScanPerSecond },
  { heading: "pressureSomeRatio", cell: (row) => row.pressureSomeRatio },
  { heading: "pressureFullRatio", cell: (row) => row.pressureFullRatio },
  { heading: "limitBytes", cell: (row) => row.limit?.bytes },
  { heading: "limitUsedBytes", cell: (row) => row.limit?.usedBytes },
  { heading: "runnerAnonymousBytes", cell: (row) => sum(row, (runner) => runner.anonymousBytes) },
  { heading: "runnerFileBytes", cell: (row) => sum(row, (runner) => runner.fileBytes) },
  { heading: "problems", cell: (row) => row.problems.join("; ") || undefined },
];

function sum(
  point: SamplePoint,
  pick: (runner: SamplePoint["runners"][number]) => number,
): number | undefined {
  if (point.runners.length === 0) return undefined;
  return point.runners.reduce((total, runner) => total + pick(runner), 0);
}
