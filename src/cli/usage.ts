/** Wrong usage of a command: the message names what was given and what was expected; the exit code is 2. */
export class UsageError extends Error {
  override name = "UsageError";
}
