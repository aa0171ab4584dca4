import { EventEmitter } from "node:events";
import type { ReadStream, WriteStream } from "node:tty";
import { describe, expect, it } from "vitest";
import { openScreen } from "../../../src/cli/top/screen.ts";

/** The other side of a terminal. */
function aTerminal() {
  const written: string[] = [];
  const raw: boolean[] = [];
  const output = Object.assign(new EventEmitter(), {
    columns: 90,
    rows: 30,
    write: (text: string) => written.push(text),
  });
  const input = Object.assign(new EventEmitter(), {
    isTTY: true,
    setRawMode: (mode: boolean) => raw.push(mode),
    resume: () => {},
    pause: () => {},
  });
  return { written, raw, output, input };
}

describe("the screen", () => {
  it("takes the terminal over and gives it back as it was", () => {
    const { written, raw, output, input } = aTerminal();
    const keys: string[] = [];
    let resized = 0;
    const before = process.listenerCount("exit");
    const screen = openScreen(output as unknown as WriteStream, input as unknown as ReadStream, {
      onKey: (key) => keys.push(key),
      onResize: () => (resized += 1),
    });
    expect(written[0]).toBe("\u001B[?1049h\u001B[?25l");
    expect(screen.size()).toEqual({ width: 90, height: 30 });
    screen.draw(["one", "two"]);
    expect(written[1]).toBe("\u001B[Hone\u001B[K\r\ntwo\u001B[K\u001B[J");
    input.emit("data", Buffer.from("q"));
    output.emit("resize");
    expect([keys, resized]).toEqual([["q"], 1]);
    screen.close();
    screen.close();
    expect(written.slice(2)).toEqual(["\u001B[?25h\u001B[?1049l"]);
    expect(raw).toEqual([true, false]);
    expect(output.listenerCount("resize") + input.listenerCount("data")).toBe(0);
    expect(process.listenerCount("exit")).toBe(before);
  });
});
