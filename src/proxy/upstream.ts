/**
 * Connections to Ollama. What is not idempotent never rides a pooled socket: one that was silently closed cannot be
 * told from one that swallowed the prompt, and a proxy must not send a prompt twice (RFC 9110 §9.2.2).
 */
import http from "node:http";
import net from "node:net";

export interface UpstreamAddress {
  host: string;
  port: number;
  /** What `Host` becomes: the authority of the configured URL. */
  authority: string;
  url: string;
}

export interface Upstream {
  address: UpstreamAddress;
  request(options: { method: string; path: string; headers: string[]; pooled: boolean }): http.ClientRequest;
  close(): void;
}

/** Header blocks of up to 1 MiB pass, as they do through Go's server. */
export const MAX_HEADER_BYTES = 1024 * 1024;

/** `http://host:port`, as the configuration has checked it, taken apart. */
export function upstreamAddress(url: string): UpstreamAddress {
  const parsed = new URL(url);
  const host = parsed.hostname.replace(/^\[|\]$/g, "");
  const port = parsed.port === "" ? 80 : Number(parsed.port);
  return { host, port, authority: parsed.host, url: parsed.origin };
}

export function createUpstream(address: UpstreamAddress): Upstream {
  const pool = new http.Agent({ keepAlive: true, maxFreeSockets: 8 });
  const connect = (): net.Socket =>
    net.connect({ host: address.host, port: address.port, noDelay: true, keepAlive: true });
  return {
    address,
    request({ method, path, headers, pooled }) {
      const request = http.request({
        host: address.host,
        port: address.port,
        method,
        path,
        // The raw list keeps names and order; without defaults Node adds no field of its own.
        headers,
        setDefaultHeaders: false,
        maxHeaderSize: MAX_HEADER_BYTES,
        ...(pooled ? { agent: pool } : { createConnection: connect }),
      });
      // Node drops fields beyond 2000 without a word.
      request.maxHeadersCount = 0;
      return request;
    },
    close: () => pool.destroy(),
  };
}
