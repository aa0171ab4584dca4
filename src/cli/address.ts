/** Where a running Plimsoll is asked, as a URL. */
import { parseListen } from "../config.ts";

/** `http://host:port` of a listener; one that listens everywhere is asked at its loopback address. */
export function ownUrl(listen: string): string {
  const { host, port } = parseListen(listen) ?? { host: "127.0.0.1", port: 11435 };
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}
