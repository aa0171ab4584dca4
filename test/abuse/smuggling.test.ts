/**
 * Requests that two programs could take apart differently. The rule: refused with 4xx and the connection closed,
 * or forwarded as exactly one request whose framing has one reading. Where nginx and haproxy are installed the
 * corpus goes through them too: we are never the only one of the three to let a case through.
 */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { launchHaproxy } from "../../bench/targets/haproxy.ts";
import { findProgram } from "../../bench/targets/installed.ts";
import { launchNginx } from "../../bench/targets/nginx.ts";
import { connect } from "../support/rawClient.ts";
import { startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, onCleanUp, startBehind } from "../support/startPlimsoll.ts";
import { CORPUS, type SmuggleCase } from "./support/smugglingCorpus.ts";

afterAll(cleanUp);

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** Answers each request once it is whole, reading strictly: length or chunks, nothing else. */
const upstream = await startRawUpstream((connection) => {
  let taken = 0;
  connection.onChunk(() => {
    for (;;) {
      const end = endOfRequest(connection.received(), taken);
      if (end === undefined) return;
      taken = end;
      connection.socket.write(OK);
    }
  });
});
const { port } = await startBehind(upstream);

function endOfRequest(bytes: Buffer, from: number): number | undefined {
  const head = bytes.indexOf("\r\n\r\n", from);
  if (head === -1) return undefined;
  const text = bytes.toString("latin1", from, head);
  const length = /^content-length:\s*(\d+)\s*$/im.exec(text)?.[1];
  if (/^transfer-encoding:.*chunked/im.test(text)) {
    const last = bytes.indexOf("\r\n0\r\n", head + 2);
    const end = last === -1 ? -1 : bytes.indexOf("\r\n\r\n", last + 3);
    return end === -1 ? undefined : end + 4;
  }
  const end = head + 4 + Number(length ?? 0);
  return bytes.length >= end ? end : undefined;
}

interface Verdict {
  /** Status of the first answer; 0 when none came. */
  status: number;
  answers: number;
  /** Request lines that reached Ollama. */
  reached: string[];
  received: string;
}

async function send(to: number, { bytes }: SmuggleCase): Promise<Verdict> {
  const before = upstream.connections.map((one) => one.received().length);
  const client = await connect(to);
  client.send(Buffer.from(bytes, "latin1"));
  await Promise.race([client.ended, quiet(client.received)]);
  client.socket.destroy();
  const text = client.received().toString("latin1");
  const received = upstream.connections
    .map((one, index) =>
      one
        .received()
        .toString("latin1")
        .slice(before[index] ?? 0),
    )
    .join("\n");
  return {
    status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0),
    answers: text.match(/HTTP\/1\.[01] \d{3}/g)?.length ?? 0,
    reached: received.match(/^\S+ \S+ HTTP\/1\.[01]\r?$/gm) ?? [],
    received,
  };
}

/** Resolves when nothing more has come for a while: for answers after which the connection stays open. */
async function quiet(received: () => Buffer): Promise<void> {
  let seen = -1;
  for (let round = 0; round < 40; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    if (received().length === seen && seen > 0) return;
    seen = received().length;
    if (round >= 5 && seen === 0) return;
  }
}

const isRefused = ({ status, reached }: Verdict): boolean =>
  reached.length === 0 && (status === 0 || status >= 400);

describe("each case is refused, or is one request with one reading", () => {
  it.each(CORPUS)("$name: $rule", async (one) => {
    const verdict = await send(port, one);
    if (one.rule === "refused") {
      expect({ refused: isRefused(verdict), reached: verdict.reached }).toEqual({
        refused: true,
        reached: [],
      });
    } else {
      expect(verdict.reached).toHaveLength(one.requests ?? 1);
      expect(verdict.received).not.toMatch(/smuggled/i);
      const lengths = verdict.received.match(/^content-length:/gim)?.length ?? 0;
      const codings = verdict.received.match(/^transfer-encoding:/gim)?.length ?? 0;
      expect(lengths + codings).toBeLessThanOrEqual(verdict.reached.length);
    }
    // Whatever it was, the next client is served.
    const next = await connect(port);
    next.send("GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await next.until("ok");
    next.socket.destroy();
  });
});

const installed = ["nginx", "haproxy"].every((name) => {
  try {
    findProgram(name);
    return true;
  } catch {
    return false;
  }
});

it.skipIf(!installed)(
  "never lets through alone what nginx and haproxy both refuse",
  async () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), "plimsoll-smuggling-"));
    onCleanUp(async () => rmSync(directory, { recursive: true, force: true }));
    const parts = { upstreamPort: upstream.port, directory } as Parameters<typeof launchNginx>[0];
    const [nginx, haproxy] = await Promise.all([launchNginx(parts), launchHaproxy(parts)]);
    onCleanUp(async () => void (await Promise.all([nginx.stop(), haproxy.stop()])));
    const alone: string[] = [];
    for (const one of CORPUS) {
      const ours = await send(port, one);
      const theirs = [await send(nginx.port, one), await send(haproxy.port, one)];
      if (!isRefused(ours) && theirs.every(isRefused)) alone.push(one.name);
    }
    expect(alone).toEqual(CORPUS.filter(({ alone: known }) => known).map(({ name }) => name));
  },
  120_000,
);
