/** Ctrl-C and SIGTERM: the first stops in order, the second at once. */

/** Resolves with the signal once `stop` has finished. */
export function untilToldToStop(stop: () => Promise<void>, cut: () => void): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first: NodeJS.Signals | undefined;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (first !== undefined) {
        cut();
        return;
      }
      first = signal;
      stop().then(
        () => resolve(signal),
        () => resolve(signal),
      );
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
  });
}
