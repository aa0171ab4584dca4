/** One thing that doctor looked at. */
export interface Check {
  id: string;
  /** `failed`: Plimsoll cannot do its work until this is mended. */
  state: "good" | "note" | "warning" | "failed";
  text: string;
  /** What to do about it, a step a line. */
  advice?: string[];
}

const MARKS = { good: "ok", note: "note", warning: "warn", failed: "FAIL" } as const;

export function checksText(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ id }) => id.length));
  const indent = " ".repeat(width + 8);
  return checks
    .map(({ id, state, text, advice = [] }) =>
      [
        `${MARKS[state].padEnd(5)} ${id.padEnd(width)}  ${text}`,
        ...advice.map((line) => `${indent}→ ${line}`),
      ]
        .map((line) => `${line}\n`)
        .join(""),
    )
    .join("");
}
