/** Exit codes, the same for every command. */
export const EXIT = { good: 0, failed: 1, usage: 2, configuration: 78, interrupted: 130 } as const;
