import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { monotonicMs } from "../../bench/wire/clock.ts";
import { createLineReader } from "../../bench/wire/lines.ts";
import { chatBody, readOrder, requestHead, type Dialect } from "../../bench/wire/request.ts";
import { readStamp, stampNow } from "../../bench/wire/stamp.ts";

describe("createLineReader", () => {
  it("finds the same lines wherever the bytes are cut", () => {
    const text = "one\n\ntwo two\nthree\n";
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: text.length })), (cuts) => {
        const lines: string[] = [];
        const read = createLineReader((line) => lines.push(line.toString()));
        const edges = [0, ...cuts.toSorted((one, other) => one - other), text.length];
        for (const [index, edge] of edges.entries()) {
          read(Buffer.from(text.slice(edge, edges[index + 1] ?? edge)));
        }
        expect(lines).toEqual(["one", "", "two two", "three"]);
      }),
    );
  });

  it("keeps back a line without an end", () => {
    const lines: string[] = [];
    createLineReader((line) => lines.push(line.toString()))(Buffer.from("whole\nhalf"));
    expect(lines).toEqual(["whole"]);
  });
});

describe("the send time in a chunk", () => {
  it("comes back in milliseconds of the shared clock", () => {
    const before = monotonicMs();
    const line = Buffer.from(`{"message":{"role":"assistant","content":"${stampNow()}"},"done":false}`);
    const after = monotonicMs();
    expect(readStamp(line)).toBeGreaterThanOrEqual(before);
    expect(readStamp(line)).toBeLessThanOrEqual(after);
  });

  it("is equally long each time, so that chunks are", () => {
    expect(stampNow()).toHaveLength(18);
  });

  it.each(["", "data: [DONE]", '{"content":""}', '{"content":"hello"}', '{"content":"12345"}'])(
    "is absent in %j",
    (line) => {
      expect(readStamp(Buffer.from(line))).toBeUndefined();
    },
  );
});

describe("chatBody", () => {
  it.each<[Dialect, number, boolean]>([
    ["ollama", 0, true],
    ["ollama", 5000, false],
    ["openai", 0, false],
    ["openai", 5000, true],
  ])("is JSON with the order at its start (%s, image of %d bytes)", (dialect, imageBytes, stream) => {
    const body = chatBody(dialect, { chunkCount: 12, intervalMs: 3, stream, imageBytes });
    expect(JSON.parse(body.toString())).toMatchObject({ model: "bench:12x3", stream });
    expect(body.length).toBeGreaterThan(imageBytes);
    expect(body.length).toBeLessThan(imageBytes + 300);
    expect(readOrder(body.toString("latin1", 0, 200))).toEqual({ chunkCount: 12, intervalMs: 3, stream });
  });

  it("orders are found however a gateway writes its JSON anew", () => {
    expect(readOrder('{"messages":[],"model": "bench:2x10"}')).toEqual({
      chunkCount: 2,
      intervalMs: 10,
      stream: undefined,
    });
    expect(readOrder('{"model":"llama3.2"}')).toBeUndefined();
  });
});

it("requestHead names host, path and the target's own fields", () => {
  const head = requestHead({ path: "/api/chat", port: 1234, fields: ["Content-Length: 2"] }).toString();
  expect(head.split("\r\n")).toEqual([
    "POST /api/chat HTTP/1.1",
    "Host: 127.0.0.1:1234",
    "User-Agent: plimsoll-bench",
    "Content-Type: application/json",
    "Content-Length: 2",
    "",
    "",
  ]);
});
