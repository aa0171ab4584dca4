/** Where Plimsoll is, as a URL. */
import type { Server } from "node:http";
import { parseListen } from "../config.ts";

const DEFAULT = { host: "127.0.0.1", port: 11435 };

/** Where a running one is asked; one that listens everywhere, at its loopback address. */
export function ownUrl(listen: string): string {
  const { host, port } = parseListen(listen) ?? DEFAULT;
  return urlOf(host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host, port);
}

/** Where this one listens, with the port that it got. */
export function listeningUrl(server: Server, listen: string): string {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return urlOf((parseListen(listen) ?? DEFAULT).host, port);
}

function urlOf(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
