/** Sends one JSON body somewhere and judges by the answer's status alone. */
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { DeliveryError } from "./channel.ts";

/** So much of an answer is let through before its connection is cut: nothing in it is needed. */
const ANSWER_BYTES = 16 * 1024;
/** And for so long: a body that stops half-way would hold its connection, and the program's end, for ever. */
const ANSWER_MS = 1000;

export interface PostOptions {
  body: string;
  headers?: Record<string, string>;
  signal: AbortSignal;
}

/**
 * Resolves when the server answers 2xx, before its answer has ended: one that is endless, stalled or 10 GB is cut. A redirect is
 * never followed, because the body and the token would go to whoever the redirect names. Rejects with a
 * `DeliveryError` that names no address, since webhook addresses are secrets.
 */
export function post(url: string, { body, headers, signal }: PostOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith("https:") ? requestHttps : requestHttp;
    const fail = (error: NodeJS.ErrnoException): void => {
      const reason = signal.aborted
        ? "did not answer in time"
        : `cannot be reached (${error.code ?? "no connection"})`;
      reject(new DeliveryError(reason, true));
    };
    const request = send(url, {
      method: "POST",
      headers: {
        "User-Agent": "plimsoll",
        "Content-Type": "application/json",
        "Content-Length": Buffer.byteLength(body),
        ...headers,
      },
      signal,
      agent: false,
    });
    request.on("error", fail);
    request.on("response", (response) => {
      const problem = problemOf(response.statusCode ?? 0);
      if (problem === undefined) {
        resolve();
      } else {
        reject(problem);
      }
      const late = setTimeout(() => request.destroy(), ANSWER_MS);
      response.on("close", () => clearTimeout(late));
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES) {
          request.destroy();
        }
      });
      response.on("error", () => request.destroy());
    });
    request.end(body);
  });
}

function problemOf(status: number): DeliveryError | undefined {
  if (status >= 200 && status < 300) {
    return undefined;
  }
  if (status >= 300 && status < 400) {
    return new DeliveryError(
      `answered ${status}, a redirect, which is not followed: set the address it leads to`,
      false,
    );
  }
  return new DeliveryError(`answered ${status}`, status >= 500 || status === 429 || status === 408);
}

/** The header of a token, if there is one. */
export function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}
