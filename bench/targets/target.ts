import type { Dialect } from "../wire/request.ts";

/** One way from the driver to the mock. */
export interface Target {
  name: string;
  /** As people know it. */
  label: string;
  version?: string;
  port: number;
  /** Header lines that it needs in every request. */
  fields: readonly string[];
  dialects: readonly Dialect[];
  /** Its process, whose descendants count as well. Absent where there is nothing between. */
  pid?: number;
  /** Keep a page open on it while it is measured. */
  pageOpen?: boolean;
  /** Only measured in these cases; in all of them if absent. */
  cases?: readonly string[];
}

export type Launched = Target & { stop(): Promise<void> };

/** What a launcher gets. */
export interface LaunchParts {
  upstreamPort: number;
  /** A folder of its own that is deleted afterwards. */
  directory: string;
}
