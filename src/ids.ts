/** Ids that sort by time and are told apart across restarts and instances. */
export function createIds(now: () => number, instanceId: string): () => string {
  let count = 0;
  return () => {
    count += 1;
    return `${now().toString(36)}${count.toString(36).padStart(4, "0")}${instanceId.slice(0, 4)}`;
  };
}
