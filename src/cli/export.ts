/** `plimsoll export`: tables of the record as CSV or JSON. Only reads, and does so while an instance runs as well. */
import { once } from "node:events";
import type { Writable } from "node:stream";
import { csvHeading, csvLine, type Column } from "../dashboard/csv.ts";
import {
  alertColumns,
  conversationColumns,
  exchangeColumns,
  loadColumns,
  sampleColumns,
} from "../dashboard/tables.ts";
import { printableText } from "../printable.ts";
import { readMigrations } from "../store/migrate.ts";
import { openReader, type RecordReader, type TimeRange } from "../store/readOnly.ts";
import { EXIT } from "./exit.ts";
import { parseMoment } from "./moment.ts";
import { MIGRATIONS_DIRECTORY } from "./paths.ts";
import type { Command } from "./command.ts";
import { readSettings } from "./settings.ts";
import { jsonLine } from "./terminal.ts";
import { UsageError } from "./usage.ts";

const TABLES = ["exchanges", "conversations", "samples", "loads", "alerts"] as const;
const FORMATS = ["csv", "json", "jsonl"] as const;
/** How far apart samples are to be had: as they were taken, or rolled up. */
const SPANS = new Map([
  ["1", 0],
  ["10", 10],
  ["60", 60],
  ["900", 900],
  ["14400", 14_400],
]);

/** Named so that it is no word of the language. */
export const exportTables: Command = {
  summary: "write a table of the record as CSV or JSON",
  words: TABLES,
  usage: `plimsoll export ${TABLES.join("|")} [options] > FILE

  --format csv|json|jsonl   CSV (default), one JSON array, or one JSON object a line
  --json                    the same as --format json
  --from DAY, --to DAY      a day (2026-01-31) or so long ago (30d, 12h); everything unless told
  --span SECONDS            samples only: 1 (default) each reading; 10, 60, 900, 14400 rolled up, kept longer
  --data-dir DIR            where the record is

Only reads; works while Plimsoll runs. Samples as CSV can be played back: PLIMSOLL_MEMORY_SOURCE=samples.csv plimsoll`,
  async run(args) {
    const [table = "", ...rest] = args[0]?.startsWith("-") === false ? args : ["", ...args];
    const { dataDir, flags } = readSettings(rest, {
      format: { type: "string" },
      json: { type: "boolean" },
      from: { type: "string" },
      to: { type: "string" },
      span: { type: "string" },
    });
    const wanted = oneOf("name a table", table, TABLES);
    const format = oneOf("--format", flags["json"] === true ? "json" : (flags["format"] ?? "csv"), FORMATS);
    const span = oneOf("--span", flags["span"] ?? "1", [...SPANS.keys()]);
    const range = readRange(flags, Date.now());
    const reader = openReader(dataDir, readMigrations(MIGRATIONS_DIRECTORY).length);
    try {
      const lines = tableLines(reader, { table: wanted, format, range, spanSeconds: SPANS.get(span) ?? 0 });
      // A file gets every byte of a name; a terminal what can be seen of it.
      await writeAll(process.stdout, process.stdout.isTTY ? visible(lines) : lines);
    } finally {
      reader.close();
    }
    return EXIT.good;
  },
};

function oneOf<Word extends string>(what: string, word: unknown, words: readonly Word[]): Word {
  const found = words.find((one) => one === word);
  if (found === undefined) {
    const expected = words.join(", ");
    throw new UsageError(
      word === ""
        ? `export: ${what}: ${expected}`
        : `export: ${what}: expected ${expected}, not "${String(word)}"`,
    );
  }
  return found;
}

function readRange(flags: Record<string, string | boolean | undefined>, now: number): TimeRange {
  const moment = (flag: "from" | "to", otherwise: number): number => {
    const text = flags[flag];
    return typeof text === "string" ? parseMoment(`--${flag}`, text, now) : otherwise;
  };
  return { from: moment("from", Number.MIN_SAFE_INTEGER), to: moment("to", Number.MAX_SAFE_INTEGER) };
}

interface Wanted {
  table: (typeof TABLES)[number];
  format: (typeof FORMATS)[number];
  range: TimeRange;
  spanSeconds: number;
}

/** The text of a table, a piece at a time. */
export function tableLines(reader: RecordReader, wanted: Wanted): Iterable<string> {
  const { range, format } = wanted;
  switch (wanted.table) {
    case "exchanges":
      return written(reader.exchanges(range), exchangeColumns, format);
    case "loads":
      return written(reader.loads(range), loadColumns, format);
    case "conversations":
      return written(reader.everyConversation(range), conversationColumns, format);
    case "samples":
      return written(reader.samples(range, wanted.spanSeconds), sampleColumns, format);
    case "alerts":
      return written(reader.episodes(range), alertColumns, format);
  }
}

function* written<Row>(
  rows: Iterable<Row>,
  columns: readonly Column<Row>[],
  format: Wanted["format"],
): Iterable<string> {
  if (format === "csv") yield csvHeading(columns);
  let before = "[";
  for (const row of rows) {
    switch (format) {
      case "csv":
        yield csvLine(columns, row);
        break;
      case "jsonl":
        yield `${jsonLine(row)}\n`;
        break;
      case "json":
        yield `${before}\n${jsonLine(row)}`;
        before = ",";
        break;
    }
  }
  if (format === "json") yield before === "[" ? "[]\n" : "\n]\n";
}

function* visible(lines: Iterable<string>): Iterable<string> {
  for (const line of lines) yield printableText(line.replaceAll("\r\n", "\n"));
}

/** A reader that has seen enough, such as `head`, ends the writing without a word. */
async function writeAll(stream: Writable, lines: Iterable<string>): Promise<void> {
  let gone = false;
  const stop = (): void => void (gone = true);
  stream.once("error", stop);
  stream.once("close", stop);
  for (const line of lines) {
    if (gone) return;
    if (!stream.write(line)) await Promise.race([once(stream, "drain"), once(stream, "close")]).catch(stop);
  }
}
