/** What a request says, read beside its way to Ollama. */
import type { IncomingMessage } from "node:http";
import type { BodyReader, OpenBody } from "../ollama/bodyReader.ts";
import { readsBody } from "../ollama/endpoints.ts";
import { givenIds } from "../ollama/givenIds.ts";
import type { RequestFacts } from "../types.ts";
import { announcedBytes } from "./bodyAnnounced.ts";
import type { OpenExchange } from "./exchange.ts";
import { headerValue } from "./headers.ts";

export interface RequestReading {
  body: OpenBody | undefined;
  finish(): void;
  /** Calls back once the request's facts are known, at once if they are. */
  whenRead(then: () => void): void;
}

/** Reads the body where its operation has one, and puts on the exchange what it says. */
export function openRequestReading(
  { bodies, salt }: { bodies: BodyReader; salt: string },
  {
    incoming,
    open,
    takesChunks,
    onFacts,
  }: {
    incoming: IncomingMessage;
    open: OpenExchange;
    takesChunks: boolean;
    /** Tells whoever is told of exchanges, once it is known what goes to Ollama. */
    onFacts(facts: RequestFacts): void;
  },
): RequestReading {
  const { exchange } = open;
  let waiting: (() => void) | undefined;
  let read = !readsBody(exchange.operation);
  const body = read
    ? undefined
    : bodies.open(
        {
          operation: exchange.operation,
          dialect: exchange.dialect,
          contentEncoding: headerValue(incoming.rawHeaders, "content-encoding"),
          contentLength: announcedBytes(incoming),
          takesChunks,
        },
        (facts) => {
          read = true;
          // A body that could not be read may be told of after the answer, which names the model too.
          exchange.model = facts.model ?? exchange.model;
          exchange.stream = facts.stream;
          exchange.requestedContextLength = facts.requestedContextLength;
          if (facts.empty === true) {
            exchange.operation = facts.keepAliveSeconds === 0 ? "unload" : "load";
          }
          const given = givenIds((name) => headerValue(incoming.rawHeaders, name), salt);
          if (facts.conversation !== undefined || given.givenId !== undefined) {
            facts.conversation = { ...facts.conversation, ...given };
          }
          onFacts(facts);
          waiting?.();
        },
      );
  return {
    body,
    finish: () => body?.finish(),
    whenRead(then) {
      if (read) {
        then();
        return;
      }
      waiting = then;
      // The exchange is over, so a body that is not whole by now never will be.
      if (!incoming.readableEnded) {
        body?.abandon();
      }
    },
  };
}
