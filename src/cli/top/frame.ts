/** The whole picture of `plimsoll top`: the page's five rows in as many lines as there are. Pure. */
import { cell, columnsOf } from "./cells.ts";
import { memoryBar, memoryLegend, memoryParts, spark } from "./memoryBar.ts";
import { chatLine, endedHeading, endedLine, liveLine, type Look } from "./rows.ts";
import type { TopState } from "./state.ts";
import { bytes, memorySentence, openEpisode, stateWord, time } from "./words.ts";

export const SMALLEST = { columns: 80, rows: 24 };

/** Exactly `height` lines, each of at most `width` columns. */
export function frame(state: TopState, { width, height, paint, now }: Look & { height: number }): string[] {
  if (width < SMALLEST.columns || height < SMALLEST.rows) {
    const words = `plimsoll top needs ${SMALLEST.columns}×${SMALLEST.rows}; this terminal has ${width}×${height}.`;
    return fill([words.slice(0, width)], height);
  }
  const look = { width, paint, now };
  const top = [...verdictLines(state, look), ...memoryLines(state, look)];
  const footer = paint("dim", cell("◇ predicted  ● measured        q quits", width));
  const room = height - top.length - 1;
  const sizes = share(room, [state.live.length, chats(state).length, state.ended.length]);
  const lines = [
    ...top,
    ...block(
      paint("bold", "Now"),
      "Nothing is running.",
      state.live.map((exchange) => liveLine(exchange, state, look)),
      sizes[0] ?? 2,
      look,
    ),
    ...block(
      paint("bold", "Chats"),
      "A chat appears here with its first turn.",
      chats(state).map((chat) => chatLine(chat, state.ended, look)),
      sizes[1] ?? 2,
      look,
    ),
    ...block(
      paint("bold", "Predicted and actual"),
      "No exchange has come through yet.",
      state.ended.length === 0
        ? []
        : [endedHeading(look), ...state.ended.map((exchange) => endedLine(exchange, look))],
      sizes[2] ?? 2,
      look,
    ),
  ];
  return [...fill(lines, height - 1), footer];
}

function chats({ conversations }: TopState) {
  return conversations.filter(
    ({ turnCount, purpose }) => turnCount > 0 && (purpose === undefined || purpose === "chat"),
  );
}

function verdictLines(state: TopState, { width, paint }: Look): string[] {
  const { sample, forecast, verdict, health, simulated, lostAt } = state;
  const word = stateWord(verdict, state.live);
  // What happens already is not foretold.
  const ahead = word === "swapping" ? undefined : forecast;
  const sentence = memorySentence(sample, ahead) ?? (verdict?.text || "Waiting for the first figures");
  const place = simulated ? " (simulated)" : "";
  const head = `${paint("bold", "Plimsoll")}${place}  ${paint(word === "swapping" ? "bad" : "accent", cell(word, 10))}`;
  const room = width - 21 - columnsOf(place);
  const said = nameTextLong(sentence);
  // What does not fit beside the name has a line of its own: its end is the forecast.
  const lines =
    columnsOf(said) <= room ? [`${head} ${paint("bold", said)}`] : [head, paint("bold", cell(said, width))];
  if (lostAt !== undefined) {
    lines.push(paint("bad", cell(`connection lost at ${time(lostAt)}, trying again`, width)));
  }
  if (health && !health.upstream.reachable) {
    const { url, problem = `Ollama does not answer at ${url}`, fix } = health.upstream;
    lines.push(paint("bad", cell(nameTextLong(`${problem}.`), width)));
    if (fix !== undefined) lines.push(cell(`  fix: ${nameTextLong(fix)}`, width));
  }
  const episode = openEpisode(state);
  if (episode) {
    const level = `${episode.drill ? "drill · " : ""}${episode.level}`;
    const text = [episode.text ?? "Memory is running short.", causesOf(episode)].filter(Boolean).join(" ");
    lines.push(
      paint(episode.level === "watch" ? "warn" : "bad", cell(`${level}: ${nameTextLong(text)}`, width)),
    );
    const remedy = episode.remedies[0];
    const command = remedy?.commands[0];
    if (remedy) {
      lines.push(
        cell(
          `  fix: ${nameTextLong(remedy.text)}${command ? `  $ ${nameTextLong(command.text)}` : ""}`,
          width,
        ),
      );
    }
  }
  return lines;
}

function causesOf({ causes }: { causes: { name: string; bytes: number }[] }): string {
  return causes.length === 0
    ? ""
    : `By ${causes.map(({ name, bytes: size }) => `${name} ${bytes(size)}`).join(", ")}.`;
}

/** A sentence of the server may hold names from outside too, and is longer than a name. */
function nameTextLong(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").trim();
}

function memoryLines({ sample, models, used, health }: TopState, { width, paint }: Look): string[] {
  if (sample?.totalBytes === undefined) {
    const why =
      health?.sampler.state === "remote"
        ? "Memory of that host is not visible from here."
        : "No sample of memory yet.";
    return [paint("dim", why)];
  }
  const parts = memoryParts(sample, models);
  const swap = sample.swapTotalBytes
    ? `swap ${bytes(sample.swapUsedBytes)} of ${bytes(sample.swapTotalBytes)}`
    : "no swap";
  const label = `  used of ${bytes(sample.totalBytes)} · ${swap}`;
  return [
    memoryBar(sample, parts, width, paint),
    ...memoryLegend(parts, width, paint),
    `${paint("dim", spark(used, sample.totalBytes, width - columnsOf(label)))}${paint("dim", label)}`,
  ];
}

/** A heading with its rows, or what to say when there are none; never more lines than its share. */
function block(title: string, empty: string, rows: string[], lines: number, { paint }: Look): string[] {
  const shown = rows.slice(0, Math.max(1, lines - 1));
  return [title, ...(shown.length === 0 ? [paint("dim", empty)] : shown)];
}

/** How many lines each block gets: a heading and a row first, then in turn one row more to whoever has one. */
function share(room: number, rows: readonly number[]): number[] {
  const sizes = rows.map(() => 2);
  let left = room - sizes.length * 2;
  // The table's heading is a row of its own, and it takes what nobody else needs.
  const most = rows.map((count, index) => (index === rows.length - 1 ? Number.POSITIVE_INFINITY : count + 1));
  while (left > 0) {
    for (const index of sizes.keys()) {
      if (left > 0 && (sizes[index] ?? 0) < (most[index] ?? 0)) {
        sizes[index] = (sizes[index] ?? 0) + 1;
        left -= 1;
      }
    }
  }
  return sizes;
}

function fill(lines: readonly string[], height: number): string[] {
  return [...lines.slice(0, height), ...Array.from({ length: Math.max(0, height - lines.length) }, () => "")];
}
