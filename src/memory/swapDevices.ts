/** Whether all active swap is memory that compresses: `/proc/swaps`, a line a device after the header. */
export function isCompressedOnly(swaps: string): boolean {
  const devices = swaps
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/)[0] ?? "")
    .filter((device) => device !== "");
  return devices.length > 0 && devices.every((device) => /^\/dev\/(block\/)?zram\d+$/.test(device));
}
