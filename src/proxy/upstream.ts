/**
 * Connections to Ollama, a fresh one for each request: a kept one that was silently closed cannot be told from one
 * that swallowed the prompt, and a proxy must not send a prompt twice (RFC 9110 §9.2.2).
 *
 * Written on the bare socket, because what a client's and an answer's bytes need here is little, and Node's own HTTP
 * client spends more time on them than the rest of a request takes.
 */
import net from "node:net";

export interface UpstreamAddress {
  host: string;
  port: number;
  /** What `Host` becomes: the authority of the configured URL. */
  authority: string;
  url: string;
}

export interface UpstreamHead {
  method: string;
  /** Path and query as they go out. */
  target: string;
  /** `[name, value, …]` as they go out. */
  headers: readonly string[];
  /** The body is sent in chunks, and its fields say so. */
  chunked: boolean;
}

/** A request on its way. Nothing leaves before `write`, `end` or `flushHead`, so that a small request is one packet. */
export interface UpstreamRequest {
  readonly socket: net.Socket;
  flushHead(): void;
  /** False when Ollama is slower than the client: wait for the socket's `drain`. */
  write(chunk: Buffer): boolean;
  /** `onSent`: the whole request has been handed to the system. */
  end(rawTrailers: readonly string[], onSent: () => void): void;
  /** True once all of it was handed to the system. */
  finished(): boolean;
}

export interface Upstream {
  address: UpstreamAddress;
  /**
   * Never throws: what cannot be sent is an error of the socket, as a refused connection is. The socket emits no
   * `data`: what comes back goes to `onBytes`, in memory that stays.
   */
  request(head: UpstreamHead, onBytes: (bytes: Buffer) => void): UpstreamRequest;
}

/** Header blocks of up to 1 MiB pass, as they do through Go's server. */
export const MAX_HEADER_BYTES = 1024 * 1024;

/** A line end inside of a field would be a second request. Node's server lets none through; this keeps it so. */
// eslint-disable-next-line no-control-regex -- exactly these must not pass
const FORBIDDEN_IN_HEAD = /[\u0000\r\n]/;
const LINE_END = Buffer.from("\r\n");
/**
 * All connections read into the same memory, and what came is copied out of it: for a token's hundred bytes Node would
 * take 64 KB from the system, cut them down and leave the rest to the garbage collector.
 */
const READ_BYTES = 64 * 1024;

/** `http://host:port`, as the configuration has checked it, taken apart. */
export function upstreamAddress(url: string): UpstreamAddress {
  const parsed = new URL(url);
  const host = parsed.hostname.replace(/^\[|\]$/g, "");
  const port = parsed.port === "" ? 80 : Number(parsed.port);
  return { host, port, authority: parsed.host, url: parsed.origin };
}

export function createUpstream(address: UpstreamAddress): Upstream {
  const readBuffer = new Uint8Array(READ_BYTES);
  return {
    address,
    request(head, onBytes) {
      const text = headText(head);
      let unsent = text;
      const socket =
        text === undefined
          ? new net.Socket().destroy(new Error("the request's head holds a line end"))
          : net.connect({
              host: address.host,
              port: address.port,
              noDelay: true,
              keepAlive: true,
              onread: {
                buffer: readBuffer,
                callback(length, bytes) {
                  onBytes(Buffer.from(bytes.subarray(0, length)));
                  return true;
                },
              },
            });
      let sent = false;
      const withHead = (bytes: Buffer): Buffer => {
        if (unsent === undefined) {
          return bytes;
        }
        const start = Buffer.from(unsent, "latin1");
        unsent = undefined;
        return Buffer.concat([start, bytes]);
      };
      return {
        socket,
        flushHead() {
          if (unsent !== undefined) {
            socket.write(withHead(Buffer.alloc(0)));
          }
        },
        write: (chunk) => socket.write(withHead(head.chunked ? frameChunk(chunk) : chunk)),
        end(rawTrailers, onSent) {
          const last = head.chunked
            ? Buffer.from(`0\r\n${fieldLines(rawTrailers)}\r\n`, "latin1")
            : Buffer.alloc(0);
          socket.write(withHead(last), () => {
            sent = true;
            onSent();
          });
        },
        finished: () => sent,
      };
    },
  };
}

function headText({ method, target, headers }: UpstreamHead): string | undefined {
  if (FORBIDDEN_IN_HEAD.test(target) || headers.some((text) => FORBIDDEN_IN_HEAD.test(text))) {
    return undefined;
  }
  return `${method} ${target} HTTP/1.1\r\n${fieldLines(headers)}\r\n`;
}

function fieldLines(rawHeaders: readonly string[]): string {
  let lines = "";
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    lines += `${rawHeaders[index]}: ${rawHeaders[index + 1]}\r\n`;
  }
  return lines;
}

/** RFC 9112 §7.1: length in hexadecimal, the bytes, each followed by a line end. */
export function frameChunk(chunk: Buffer): Buffer {
  const length = chunk.length.toString(16);
  const framed = Buffer.allocUnsafe(length.length + 2 + chunk.length + 2);
  framed.write(length, 0, "latin1");
  LINE_END.copy(framed, length.length);
  chunk.copy(framed, length.length + 2);
  LINE_END.copy(framed, framed.length - 2);
  return framed;
}
