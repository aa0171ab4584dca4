import { runHelper, type HelperRun, type HelperRunOptions } from "./helperRun.ts";

export interface HelperOptions extends HelperRunOptions {
  /** What it is called in problems. */
  name: string;
  monotonic: () => number;
  /** True where not being installed is normal: then it is not a problem, and not tried again. */
  optional?: boolean;
}

/** A program that runs beside us and prints a line now and then. */
export interface Helper {
  start(): void;
  /** Ends the program and resolves once it is gone. */
  stop(): Promise<void>;
  /** Why there are no lines at the moment, in words for people. */
  problem(): string | undefined;
}

const LONGEST_PAUSE_MS = 60_000;
/** A program that ran this long was well: its next end starts the pauses from one second again. */
const HEALTHY_MS = 60_000;

/**
 * Keeps one long-lived program running, so that no process has to be started when memory is short: starting one is the
 * first thing that fails then. One that ends, hangs or cannot be started is started anew after 1, 2, 4 … 60 s.
 */
export function createHelper(options: HelperOptions): Helper {
  const { name, monotonic } = options;
  let wanted = false;
  let missing = false;
  let problem: string | undefined;
  let failures = 0;
  let run: HelperRun | undefined;
  let startedMs = 0;
  let restart: NodeJS.Timeout | undefined;

  const onLine = (line: string): void => {
    problem = undefined;
    options.onLine(line);
  };

  const onEnd = (reason: string, installed: boolean): void => {
    run = undefined;
    missing = !installed && options.optional === true;
    if (missing) return;
    if (monotonic() - startedMs >= HEALTHY_MS) failures = 0;
    const pauseMs = Math.min(1000 * 2 ** failures, LONGEST_PAUSE_MS);
    failures += 1;
    problem = `${name} ${reason}; next try in ${pauseMs / 1000} s`;
    restart = setTimeout(launch, pauseMs);
    restart.unref();
  };

  const launch = (): void => {
    startedMs = monotonic();
    try {
      run = runHelper({ ...options, onLine }, onEnd);
    } catch (error) {
      onEnd(`cannot be started (${error instanceof Error ? error.message : String(error)})`, true);
    }
  };

  return {
    start: () => {
      if (wanted || missing) return;
      wanted = true;
      failures = 0;
      launch();
    },
    stop: async () => {
      wanted = false;
      problem = undefined;
      clearTimeout(restart);
      const ending = run;
      run = undefined;
      await ending?.kill();
    },
    problem: () => problem,
  };
}
