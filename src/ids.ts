/** Ids that sort by time and are told apart across restarts and instances. */
export function createIds(now: () => number, instanceId: string): () => string {
  let count = 0;
  return () => {
    count += 1;
    const id = `${now().toString(36)}${count.toString(36).padStart(4, "0")}${instanceId.slice(0, 4)}`;
    // Put together, a text goes on holding its parts; these are remembered by the ten thousand.
    return Buffer.from(id).toString();
  };
}
