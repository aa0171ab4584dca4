/** What a STRICT column takes: `undefined` is bound as NULL. */
export type Cell = number | string | null | undefined;

/** A row on its way into a table, by column name. */
export type Row = Record<string, Cell>;

/** Longest text kept in one column. A header of 16 KiB is legal HTTP; in every row it would fill the disk. */
const longestText = 1024;

/** A whole number for an INTEGER column, which refuses fractions; what is not a finite number is unknown. */
export function integer(value: number | undefined): number | undefined {
  return value === undefined || !Number.isFinite(value) ? undefined : Math.round(value);
}

/** A number for a REAL column; what is not finite is unknown. */
export function real(value: number | undefined): number | undefined {
  return value === undefined || !Number.isFinite(value) ? undefined : value;
}

/** Text for a column, cut with an ellipsis after 1,024 characters. */
export function text(value: string | undefined): string | undefined {
  return value === undefined || value.length <= longestText ? value : `${value.slice(0, longestText - 1)}…`;
}

/** JSON for a column. An empty list is NULL, which spares most rows two bytes and every query a parse. */
export function json(value: object | undefined): string | undefined {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return undefined;
  return JSON.stringify(value);
}

/**
 * Reads what {@link json} wrote. The caller names the type it wrote. A cell that somebody broke by hand is unknown
 * rather than an error, which would make every list with its row unreadable.
 */
export function parsed<T>(cell: string | null): T | undefined {
  if (cell === null) return undefined;
  try {
    return JSON.parse(cell) as T;
  } catch {
    return undefined;
  }
}

type Present<T> = { [Key in keyof T]?: NonNullable<T[Key]> };

/** The same object without its NULL and undefined entries: unknown is absent in JSON. */
export function present<T extends object>(fields: T): Present<T> {
  const kept = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(kept) as Present<T>;
}
