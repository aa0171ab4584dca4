/** `plimsoll top`: the page's rows in a terminal, from the running Plimsoll. */
import type { WriteStream } from "node:tty";
import type { ServerMessage } from "../types.ts";
import { ownUrl } from "./address.ts";
import { EXIT } from "./exit.ts";
import type { Command } from "./command.ts";
import { readSettings } from "./settings.ts";
import { remark, sayJson } from "./terminal.ts";
import { coloured, plain } from "./top/cells.ts";
import { connectLive } from "./top/connection.ts";
import { frame, SMALLEST } from "./top/frame.ts";
import { openScreen, type Screen } from "./top/screen.ts";
import { readRecord } from "./top/record.ts";
import { applyToTop, emptyTop, seedTop } from "./top/state.ts";

export const top: Command = {
  summary: "the page's rows in this terminal: verdict, memory, now, chats, predicted and actual",
  usage: `plimsoll top [--once] [--json] [--listen HOST:PORT] [--token TOKEN]

Shows the running Plimsoll in this terminal, from ${SMALLEST.columns}×${SMALLEST.rows} on. q or Ctrl-C quits. NO_COLOR is heeded.

  --once           print one picture and end; so it does where the output is no terminal
  --json           print the snapshot as JSON and end
  --listen H:P     where the Plimsoll to look at listens
  --token TOKEN    its token, where it has one`,
  async run(args) {
    const { config, flags } = readSettings(args, { once: { type: "boolean" }, json: { type: "boolean" } });
    const output = process.stdout;
    const once = flags["once"] === true || flags["json"] === true || !output.isTTY;
    return watch(ownUrl(config.listen), config.token, { once, json: flags["json"] === true });
  },
};

/** Drawn at most this often: who looks at a terminal cannot read faster. */
const DRAW_EVERY_MS = 250;
const CTRL_C = "\u0003";

function watch(url: string, token: string | null, how: { once: boolean; json: boolean }): Promise<number> {
  const output = process.stdout as WriteStream;
  const environment = process.env;
  const wantsColour = output.isTTY && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
  const paint = wantsColour ? coloured : plain;
  let state = emptyTop;
  let screen: Screen | undefined;

  return new Promise((resolve) => {
    const lines = (width: number, height: number): string[] =>
      frame(state, { width, height, paint, now: Date.now() + state.clockOffsetMs });
    let due: NodeJS.Timeout | undefined;
    const draw = (): void => {
      due = undefined;
      if (screen) {
        const { width, height } = screen.size();
        screen.draw(lines(width, height));
      }
    };
    const drawSoon = (): void => {
      due ??= setTimeout(draw, DRAW_EVERY_MS);
    };
    // Times go on while nothing is said.
    const clock = setInterval(drawSoon, 1000);
    const end = (code: number, complaint?: string): void => {
      clearInterval(clock);
      clearTimeout(due);
      connection.close();
      screen?.close();
      process.off("SIGINT", interrupted);
      process.off("SIGTERM", interrupted);
      if (complaint !== undefined) {
        remark(`plimsoll top: ${complaint}\n`);
      }
      resolve(code);
    };
    const interrupted = (): void => end(EXIT.interrupted);
    process.on("SIGINT", interrupted);
    process.on("SIGTERM", interrupted);

    /** The record of what ended before we looked; without it the picture begins with now. */
    const seed = async (): Promise<void> => {
      const record = await readRecord(url, token, Date.now() + state.clockOffsetMs).catch(() => undefined);
      if (record) state = seedTop(state, record);
      drawSoon();
    };
    const printOnce = (message: Extract<ServerMessage, { type: "snapshot" }>): void => {
      if (how.json) {
        sayJson(message.snapshot);
        end(EXIT.good);
        return;
      }
      void seed().then(() => {
        const { columns, rows } = output.isTTY ? output : { columns: 100, rows: 40 };
        const picture = lines(Math.max(SMALLEST.columns, columns), Math.max(SMALLEST.rows, rows));
        output.write(`${picture.slice(0, -1).join("\n").trimEnd()}\n`);
        end(EXIT.good);
      });
    };
    const receive = (message: ServerMessage): void => {
      const first = state.version === undefined;
      state = applyToTop(state, message, Date.now());
      if (first && message.type === "snapshot" && !how.once) void seed();
      if (!how.once) {
        screen ??= openScreen(output, process.stdin, {
          onKey: (key) => {
            if (key === "q" || key === "Q") end(EXIT.good);
            if (key === CTRL_C) end(EXIT.interrupted);
          },
          onResize: draw,
        });
        drawSoon();
      } else if (first && message.type === "snapshot") {
        printOnce(message);
      }
    };
    const connection = connectLive(url, token, {
      onMessage: receive,
      onLost: () => {
        state = { ...state, lostAt: Date.now() };
        drawSoon();
      },
      onRefused: (why) => end(EXIT.failed, why),
    });
  });
}
