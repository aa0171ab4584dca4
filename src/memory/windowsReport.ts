/** The program that PowerShell runs on Windows, and what its lines say. */
import type { RunnerProcess } from "../types.ts";
import { splitWindowsCommand } from "./commandLine.ts";
import { selectOllamaProcesses, type ProcessFacts } from "./runnerProcesses.ts";

/**
 * The loop that PowerShell runs for us: a line of JSON every two seconds, processes and page files in every fifth.
 * The CIM class is used because its property names, unlike the names of performance counters, are never translated.
 * Writing to a pipe that nobody reads ends the loop, so it cannot outlive us. It holds no double quote: those would have
 * to survive two parsers on the way.
 */
export const REPORT_SCRIPT = `$ErrorActionPreference = 'Stop'
[Console]::OutputEncoding = [Text.Encoding]::UTF8
$round = 0
while ($true) {
  $memory = Get-CimInstance Win32_PerfFormattedData_PerfOS_Memory
  $line = @{
    available = $memory.AvailableBytes; committed = $memory.CommittedBytes
    commitLimit = $memory.CommitLimit; pagesOut = $memory.PagesOutputPersec
  }
  if ($round % 5 -eq 0) {
    $line.pageFiles = @(Get-CimInstance Win32_PageFileUsage | ForEach-Object {
      @{ allocated = $_.AllocatedBaseSize; used = $_.CurrentUsage }
    })
    $line.processes = @(Get-CimInstance Win32_Process -Filter 'Name LIKE ''ollama%'' OR Name LIKE ''llama-server%''' | ForEach-Object {
      @{
        pid = $_.ProcessId; parent = $_.ParentProcessId; workingSet = $_.WorkingSetSize; private = $_.PrivatePageCount
        command = $_.CommandLine; startedAt = $(if ($_.CreationDate) { ([DateTimeOffset]$_.CreationDate).ToUnixTimeMilliseconds() })
      }
    })
  }
  [Console]::Out.WriteLine((ConvertTo-Json $line -Compress -Depth 4))
  $round += 1
  Start-Sleep -Milliseconds 2000
}`;

export interface WindowsReport {
  availableBytes: number;
  committedBytes: number;
  commitLimitBytes: number;
  /** Absent when the class has none. Pages written to disk; page files and changed mapped files alike. */
  pagesOutPerSecond?: number;
  /** Present in every fifth report only. */
  swap?: { swapTotalBytes: number; swapUsedBytes: number };
  runners?: WindowsRunner[];
}

export interface WindowsRunner {
  process: RunnerProcess;
  workingSetBytes: number;
  privateBytes: number;
}

/** Reads one line of the loop; `undefined` when it is no report. */
export function parseWindowsReport(line: string): WindowsReport | undefined {
  const report = asRecord(parseJson(line));
  const availableBytes = asNumber(report.available);
  const committedBytes = asNumber(report.committed);
  const commitLimitBytes = asNumber(report.commitLimit);
  if (availableBytes === undefined || committedBytes === undefined || commitLimitBytes === undefined) {
    return undefined;
  }
  return {
    availableBytes,
    committedBytes,
    commitLimitBytes,
    pagesOutPerSecond: asNumber(report.pagesOut),
    swap: Array.isArray(report.pageFiles) ? sumPageFiles(report.pageFiles) : undefined,
    runners: Array.isArray(report.processes) ? selectRunners(report.processes) : undefined,
  };
}

const MEBIBYTE = 1024 * 1024;

function sumPageFiles(files: readonly unknown[]): WindowsReport["swap"] {
  const sum = { swapTotalBytes: 0, swapUsedBytes: 0 };
  for (const file of files.map(asRecord)) {
    sum.swapTotalBytes += (asNumber(file.allocated) ?? 0) * MEBIBYTE;
    sum.swapUsedBytes += (asNumber(file.used) ?? 0) * MEBIBYTE;
  }
  return sum;
}

function selectRunners(entries: readonly unknown[]): WindowsRunner[] {
  const processes = new Map<number, ProcessFacts & { workingSetBytes: number; privateBytes: number }>();
  for (const entry of entries.map(asRecord)) {
    const pid = asNumber(entry.pid);
    // The command line of another user's process is hidden from us: nothing to tell it by.
    if (pid === undefined || typeof entry.command !== "string") continue;
    processes.set(pid, {
      pid,
      parentPid: asNumber(entry.parent),
      startedAt: asNumber(entry.startedAt),
      argv: splitWindowsCommand(entry.command),
      workingSetBytes: asNumber(entry.workingSet) ?? 0,
      privateBytes: asNumber(entry.private) ?? 0,
    });
  }
  const { runners } = selectOllamaProcesses([...processes.values()], (pid) => processes.get(pid)?.parentPid);
  return runners.map((process) => {
    const { workingSetBytes = 0, privateBytes = 0 } = processes.get(process.pid) ?? {};
    return { process, workingSetBytes, privateBytes };
  });
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function asNumber(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
