/** Names that strangers choose: of models, clients and conversations. Nothing of them is run anywhere. */
import { afterAll, describe, expect, it } from "vitest";
import { accuracyText } from "../../src/cli/accuracy.ts";
import { createLog } from "../../src/log.ts";
import { parseCsv } from "../../src/memory/csv.ts";
import { printableLine, printableText } from "../../src/printable.ts";
import { plimsoll } from "../cli/support/program.ts";
import { answering, startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, onCleanUp, startBehind } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

afterAll(cleanUp);

/** Escape sequences, bidirectional overrides, formulas, markup, label and line breaks, names of every object. */
const NAMES = [
  "\u001b]0;owned\u0007\u001b[2J\u001b[31mred",
  "\u009b31m",
  "\u202egpj.exe",
  "\u200b\u2066x\u2069",
  "a\r\nb",
  "a\0b",
  "=1+1",
  '=HYPERLINK("http://evil.example","x")',
  "+1",
  "-1+1",
  "@SUM(A1)",
  "\t=1",
  "\r=1",
  "|calc|!A0",
  "'=1",
  '"',
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "javascript:alert(1)",
  "{{7*7}}",
  "${7*7}",
  "$(id)",
  "`id`",
  "; rm -rf /",
  "%00",
  "../../etc/passwd",
  'x"} 1\nevil_metric 1',
  "\\",
  "x\\n",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "\ud800",
  "💥",
  "x".repeat(5000),
];

const LINE = (model: string): string =>
  `${JSON.stringify({ model, response: "x", done: true, eval_count: 1, prompt_eval_count: 1 })}\n`;

/** Echoes the model that was asked for, as Ollama does. */
const upstream = await startRawUpstream((connection) => {
  let answered = 0;
  connection.onChunk(() => {
    const text = connection.received().toString();
    for (const [body] of [...text.matchAll(/\{"model":.*,"prompt":"p"\}/g)].slice(answered)) {
      answered += 1;
      const line = LINE((JSON.parse(body ?? "{}") as { model: string }).model);
      connection.socket.write(
        `HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${Buffer.byteLength(line)}\r\n\r\n${line}`,
      );
    }
  });
});
const logged: string[] = [];
const { url } = await startBehind(upstream, {
  parts: {
    log: createLog({
      level: "debug",
      stream: { isTTY: true, write: (text) => logged.push(text) },
      colours: false,
      now: () => 0,
    }),
  },
});

for (const name of NAMES) {
  // A header takes no control characters at all: there the client's own library refuses.
  const header = /^[\x20-\x7e]{1,400}$/.test(name) ? name : "plain";
  const answer = await fetch(`${url}/api/generate`, {
    method: "POST",
    headers: { "user-agent": header },
    body: JSON.stringify({ model: name, prompt: "p" }),
  });
  await answer.text();
}

describe("hostile names", () => {
  it("are one row each, and the lists can still be read", async () => {
    await waitFor(async () => {
      const answer = await fetch(`${url}/plimsoll/api/exchanges?limit=1000`);
      return ((await answer.json()) as { exchanges: unknown[] }).exchanges.length === NAMES.length;
    });
    for (const name of ["__proto__", "constructor", "<script>alert(1)</script>"]) {
      const answer = await fetch(`${url}/plimsoll/api/exchanges?model=${encodeURIComponent(name)}`);
      const { exchanges } = (await answer.json()) as { exchanges: { model: string }[] };
      expect(exchanges.map(({ model }) => model)).toEqual([name]);
    }
  });

  it("never begin a cell that a spreadsheet would run, and break no row of the CSV", async () => {
    const answer = await fetch(`${url}/plimsoll/api/exchanges?limit=1000&format=csv`);
    expect(answer.headers.get("content-type")).toContain("text/csv");
    const { rows, columns } = parseCsv(await answer.text());
    expect(rows).toHaveLength(NAMES.length);
    for (const row of rows) {
      for (const column of columns) {
        const cell = row.text(column);
        if (cell !== undefined && Number.isNaN(Number(cell))) expect(cell).not.toMatch(/^[=+\-@]/);
      }
    }
  });

  it("stay inside their labels in the metrics, and make a bounded number of series", async () => {
    const text = await (await fetch(`${url}/plimsoll/metrics`)).text();
    expect(text).not.toMatch(/^evil_metric/m);
    for (const line of text.split("\n").filter((one) => one !== "")) {
      expect(line).toMatch(
        /^(# (HELP|TYPE) .*|[a-z_:]+(\{([a-z_]+="(?:[^"\\]|\\\\|\\"|\\n)*",?)*\})? (\S+|NaN|\+Inf))$/,
      );
    }
  });

  it("drive no terminal: log, tables and errors print them with every character visible", async () => {
    const table = accuracyText({
      overall: { x: score },
      models: NAMES.map((model) => ({ model, scores: { x: score } })),
    } as never);
    for (const text of [printableText(table), logged.join("")]) {
      // oxlint-disable-next-line no-control-regex
      expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    }
    expect(printableLine("a\nb\u001b[2J")).toBe("a\uFFFDb\uFFFD[2J");
    expect(printableText("a\n\tb\r\u202e")).toBe("a\n\tb\uFFFD\uFFFD");
    expect(printableText("日本語 ñ é 👍")).toBe("日本語 ñ é 👍");
  });

  it("in what Ollama itself answers neither: its version, printed by doctor", async () => {
    const version = JSON.stringify({ version: "0.1\u001b]0;owned\u0007" });
    const answer = answering(
      `HTTP/1.1 200 OK\r\nContent-Length: ${version.length}\r\nConnection: close\r\n\r\n${version}`,
    );
    const liar = await startRawUpstream(answer, answer);
    onCleanUp(() => liar.close());
    const { out, err } = await plimsoll([
      "doctor",
      "--upstream",
      liar.url,
      "--listen",
      "127.0.0.1:0",
      "--data-dir",
      ":memory:",
    ]).ended;
    expect(out).toContain("0.1");
    expect(out + err).not.toContain("\u001b");
  });

  it("on the command line neither: an unknown command is named with every character visible", async () => {
    const { err, code } = await plimsoll(["\u001b[31mserve"]).ended;
    expect(code).toBe(2);
    expect(err).not.toContain("\u001b");
  });
});

const score = { n: 1, medianErrorRatio: 0, p90ErrorRatio: 0, biasRatio: 0 };
