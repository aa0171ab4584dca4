/**
 * Exchanges with real Ollama servers, recorded on the wire. Only whole ones are here; an exchange that one side cut off
 * is not. Heads keep the order, case and repetition of their headers, bodies their chunk boundaries, so that a response
 * can be played back byte for byte.
 */
import { readdirSync, readFileSync } from "node:fs";

export interface CapturedHead {
  /** `1.1` or `1.0`. */
  httpVersion: string;
  headers: [string, string][];
}

/** Text, or bytes that are not UTF-8. */
export type CapturedBytes = string | { b64: string };

export interface CapturedRequest extends CapturedHead {
  method: string;
  /** As on the request line: with the query, or in absolute form. */
  target: string;
  framing: "none" | "content-length" | "chunked";
  body?: string;
  bodyB64?: string;
  chunks?: CapturedBytes[];
  /** The upload of a model file: its bytes are not kept, only their number. */
  bodyOmittedBytes?: number;
}

export interface CapturedResponse extends CapturedHead {
  status: number;
  statusMessage: string;
  /** `none`: an answer without a body. `until-close`: the end of the connection is the end of the body. */
  framing: "none" | "content-length" | "chunked" | "until-close";
  body?: string;
  bodyB64?: string;
  chunks?: CapturedBytes[];
  trailers?: [string, string][];
  complete: true;
}

export interface CapturedExchange {
  /** Exchanges of one scenario with the same number went over one connection, in this order. */
  connection: number;
  request: CapturedRequest;
  /** `100 Continue`, sent before the response. */
  interim?: (CapturedHead & { status: number; statusMessage: string })[];
  response: CapturedResponse;
}

export interface Capture {
  /** `v0.24` or `v0.33`. */
  version: string;
  scenario: string;
  index: number;
  exchange: CapturedExchange;
}

const FOLDER = new URL("../fixtures/captures/", import.meta.url);

/** All recorded exchanges, in the order of their files. */
export function loadCaptures(): Capture[] {
  return readdirSync(FOLDER)
    .filter((name) => name.startsWith("v"))
    .toSorted()
    .flatMap((version) =>
      readdirSync(new URL(`${version}/`, FOLDER))
        .toSorted()
        .flatMap((file) => {
          const text = readFileSync(new URL(`${version}/${file}`, FOLDER), "utf8");
          const exchanges = JSON.parse(text) as CapturedExchange[];
          return exchanges.map((exchange, index) => ({
            version,
            scenario: file.replace(/\.json$/, ""),
            index,
            exchange,
          }));
        }),
    );
}

/** Payload of a request or response as the chunks it came in; without chunked framing that is at most one. */
export function capturedChunks(message: CapturedRequest | CapturedResponse): Buffer[] {
  if (message.chunks !== undefined) {
    return message.chunks.map((chunk) =>
      typeof chunk === "string" ? Buffer.from(chunk) : Buffer.from(chunk.b64, "base64"),
    );
  }
  if (message.bodyB64 !== undefined) {
    return [Buffer.from(message.bodyB64, "base64")];
  }
  return message.body === undefined ? [] : [Buffer.from(message.body)];
}

/** Value of a captured header, names compared in any case. */
export function capturedHeader(message: CapturedHead, name: string): string | undefined {
  return message.headers.find(([key]) => key.toLowerCase() === name)?.[1];
}
