/** Reads what was saved earlier. Damaged or foreign JSON means a fresh start, never an error. */

/** A copy of a plain object; undefined for lists, null and everything else. */
export function savedObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

/** The newest `limit` numbers of a saved list; one that holds anything but finite numbers is no list of ours. */
export function savedNumbers(value: unknown, limit: number): number[] {
  return Array.isArray(value) && value.every((entry) => Number.isFinite(entry)) ? value.slice(-limit) : [];
}

/** The newest `limit` rows of `width` numbers each. */
export function savedRows(value: unknown, { width, limit }: { width: number; limit: number }): number[][] {
  if (!Array.isArray(value)) {
    return [];
  }
  const rows = value.slice(-limit).map((row) => savedNumbers(row, width));
  return rows.filter((row) => row.length === width);
}
