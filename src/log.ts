/** Lines on standard error: for people on a terminal, JSON for everything else. Never a prompt, an answer or a key. */
import { styleText } from "node:util";
import { printableLine } from "./printable.ts";
import type { Log } from "./types.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;
type Level = (typeof LEVELS)[number];

export interface LogStream {
  isTTY?: boolean;
  write(text: string): unknown;
}

export function createLog(parts: {
  level: Level;
  stream: LogStream;
  colours: boolean;
  now: () => number;
}): Log {
  const lowest = LEVELS.indexOf(parts.level);
  const writer =
    (level: Level) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      if (LEVELS.indexOf(level) >= lowest) {
        const time = new Date(parts.now()).toISOString();
        const line =
          parts.stream.isTTY === true
            ? textLine({ level, message, fields, time }, parts.colours)
            : JSON.stringify({ time, level, msg: message, ...fields });
        parts.stream.write(`${line}\n`);
      }
    };
  return { debug: writer("debug"), info: writer("info"), warn: writer("warn"), error: writer("error") };
}

const COLOURS = { debug: "gray", info: "cyan", warn: "yellow", error: "red" } as const;

function textLine(
  entry: { level: Level; message: string; fields: Record<string, unknown>; time: string },
  colours: boolean,
): string {
  const details = Object.entries(entry.fields)
    .map(([name, value]) => `  ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("");
  const padded = entry.level.padEnd(5);
  const level = colours ? styleText(COLOURS[entry.level], padded, { validateStream: false }) : padded;
  return `${entry.time.slice(11, 19)} ${level} ${printableLine(entry.message + details)}`;
}
