/** What every command is made of. */
export interface Command {
  summary: string;
  /** Shown by `--help`; completion reads the options off it. */
  usage: string;
  /** Words it takes first, such as `install`, for completion. */
  words?: readonly string[];
  /** Runs and answers the exit code. */
  run(args: string[]): Promise<number>;
}
