/** A Plimsoll, or whatever answers in its place, that lies: what commands print of its answers drives no terminal. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { plimsoll, temporaryFolder } from "../cli/support/program.ts";
import { anExchange, aSample } from "../cli/top/support.ts";
import { aSnapshot, health } from "../dashboard/support.ts";
import { cleanUp, onCleanUp } from "../support/startPlimsoll.ts";

afterAll(cleanUp);

/** Sets the window's title, clears the screen, writes in red, turns the direction of writing. */
const HOSTILE = "evil\u001b]0;owned\u0007\u001b[2J\u009b31m\u202egnp.exe";
/** Of these a terminal obeys every one; line ends and tabs are ours. */
// oxlint-disable-next-line no-control-regex
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/;

const chat = {
  id: HOSTILE,
  model: HOSTILE,
  client: HOSTILE,
  startedAt: 1,
  lastAt: 2,
  turnCount: 1,
  notices: [{ kind: HOSTILE, message: HOSTILE, remedies: [{ id: HOSTILE, text: HOSTILE, commands: [] }] }],
  turns: [anExchange({ model: HOSTILE, state: { phase: HOSTILE } as never })],
};
const score = { n: 1, medianErrorRatio: 0, p90ErrorRatio: 0, biasRatio: 0 };

const ANSWERS: Record<string, unknown> = {
  "/plimsoll/api/accuracy": { overall: { [HOSTILE]: score }, models: [{ model: HOSTILE, scores: {} }] },
  "/plimsoll/api/conversations": { conversations: [chat] },
  "/plimsoll/api/conversations/x": chat,
  "/plimsoll/api/advice": { advice: [{ text: HOSTILE }] },
  "/plimsoll/api/alerts/test": { test: [{ channel: HOSTILE, delivered: false, ms: 1, problem: HOSTILE }] },
  "/plimsoll/api/exchanges": { exchanges: [anExchange({ model: HOSTILE, path: HOSTILE })] },
  "/plimsoll/api/samples": { samples: [] },
  "/plimsoll/healthz": { ...health, version: HOSTILE },
  "/api/version": { version: HOSTILE },
};

const snapshot = aSnapshot({
  version: HOSTILE,
  sample: aSample({ problems: [HOSTILE] }),
  exchanges: [anExchange({ model: HOSTILE, client: { name: HOSTILE }, state: { phase: "waiting" } })],
  conversations: [chat as never],
  episodes: [
    {
      id: "e",
      startedAt: 1,
      level: "warn",
      text: HOSTILE,
      causes: [{ name: HOSTILE, bytes: 1 }],
      remedies: [{ id: "r", text: HOSTILE, commands: [{ platform: "any", text: HOSTILE }] }],
    } as never,
  ],
});

let listen = "";
let url = "";

beforeAll(async () => {
  const server = http.createServer((request, response) => {
    const answer = ANSWERS[new URL(request.url ?? "/", "http://x").pathname];
    response.setHeader("x-plimsoll-instance", "liar");
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(JSON.stringify(answer ?? { error: { code: "x", message: HOSTILE } }));
  });
  const live = new WebSocketServer({ server });
  live.on("connection", (socket) => socket.send(JSON.stringify({ type: "snapshot", snapshot })));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  listen = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  url = `http://${listen}`;
  onCleanUp(() => {
    live.close();
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
});

async function printed(args: string[]): Promise<string> {
  const { out, err } = await plimsoll([...args, "--listen", listen]).ended;
  return out + err;
}

describe("what a command prints of an answer", () => {
  it.each<[string, () => Promise<string[]> | string[]]>([
    ["accuracy", () => ["accuracy"]],
    ["chats", () => ["chats"]],
    ["one chat", () => ["chats", "x"]],
    ["alert --test", () => ["alert", "--test"]],
    ["top --once", () => ["top", "--once"]],
    ["doctor", async () => ["doctor", "--upstream", url, "--data-dir", await temporaryFolder()]],
    ["predict", () => ["predict", HOSTILE, "--upstream", url]],
  ])("of %s drives no terminal", async (_, args) => {
    const text = await printed(await args());
    expect(text).toContain("evil");
    expect(text).not.toMatch(OBEYED);
  });

  it.each([[["accuracy"]], [["chats"]], [["alert", "--test"]], [["top"]]])(
    "of %j as JSON is the same value, with every such character escaped",
    async (args) => {
      const text = await printed([...args, "--json"]);
      expect(text).not.toMatch(OBEYED);
      expect(JSON.stringify(JSON.parse(text))).toContain(JSON.stringify(HOSTILE).slice(1, -1));
    },
  );
});

describe("what a command prints of what it was given", () => {
  it.each([["forget --before"], ["export"], ["env --shell"]])("of %s drives no terminal", async (words) => {
    const text = (await plimsoll([...words.split(" "), HOSTILE]).ended).err;
    expect(text).toContain("evil");
    expect(text).not.toMatch(OBEYED);
  });

  it("of a recording's name drives no terminal", async () => {
    const file = join(await temporaryFolder(), `${HOSTILE.replaceAll("/", "")}.csv`);
    writeFileSync(file, "t,MemTotal,MemAvailable\n0,1000,500\n1,1000,500\n");
    const { out, err } = await plimsoll(["replay", file]).ended;
    expect(out + err).toContain("evil");
    expect(out + err).not.toMatch(OBEYED);
  });
});
