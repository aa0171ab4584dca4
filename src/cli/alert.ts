/** `plimsoll alert --test`: does an alert arrive where it should. */
import { createAlertChannels } from "../alertChannels.ts";
import type { ChannelTest } from "../alerts/channels/channels.ts";
import { thisMachinesPrograms } from "../alerts/channels/programs.ts";
import type { Config } from "../config.ts";
import { askRunning } from "./askRunning.ts";
import { EXIT } from "./exit.ts";
import type { Command } from "./command.ts";
import { readSettings } from "./settings.ts";
import { stderrLog } from "./stderrLog.ts";
import { remark, say, sayJson } from "./terminal.ts";

export const alert: Command = {
  summary: "send a test message to the alert channels",
  usage: `plimsoll alert --test [--channel NAME] [--json] [--config FILE] [--listen HOST:PORT] [--token TOKEN]

Sends a test message through each channel of alerts.channels, or the one named, at any hour and whatever its level, and
says for each whether it was delivered. The running Plimsoll sends it; where none runs, this command does.
Exit 0: all were delivered; 1: one was not.`,
  async run(args) {
    const { config, flags } = readSettings(args, {
      test: { type: "boolean" },
      channel: { type: "string" },
      json: { type: "boolean" },
    });
    if (flags["test"] !== true) {
      remark("plimsoll alert: say --test to send a test message. See plimsoll alert --help.\n");
      return EXIT.usage;
    }
    const channel = typeof flags["channel"] === "string" ? flags["channel"] : undefined;
    const results = (await sentByRunning(config, channel)) ?? (await sendFromHere(config, channel));
    if (typeof results === "string") {
      remark(`plimsoll alert: ${results}\n`);
      return EXIT.failed;
    }
    if (flags["json"] === true) sayJson({ test: results });
    else say(testText(results));
    return results.every(({ delivered }) => delivered) ? EXIT.good : EXIT.failed;
  },
};

/** The results, why there are none, or undefined where no Plimsoll answers. */
async function sentByRunning(
  config: Config,
  channel: string | undefined,
): Promise<ChannelTest[] | string | undefined> {
  const reply = await askRunning(config, "alerts/test", { channel });
  return reply?.refusal ?? (reply?.body as { test?: ChannelTest[] } | undefined)?.test;
}

async function sendFromHere(config: Config, channel: string | undefined): Promise<ChannelTest[] | string> {
  const channels = createAlertChannels({
    config,
    programs: thisMachinesPrograms(),
    now: () => Date.now(),
    log: stderrLog({ ...config, logLevel: "info" }),
  });
  try {
    const names = channels.names();
    return (
      (await channels.test(channel)) ??
      `there is no channel "${channel}"; ${names.length === 0 ? "none is set up" : `there are ${names.join(", ")}`}`
    );
  } finally {
    channels.close();
  }
}

function testText(results: readonly ChannelTest[]): string {
  if (results.length === 0) {
    return "No channel is set up: see alerts.channels in config.example.json.\n";
  }
  const width = Math.max(...results.map(({ channel }) => channel.length));
  const line = ({ channel, delivered, ms, problem }: ChannelTest): string =>
    `${channel.padEnd(width)}  ${delivered ? `delivered in ${ms} ms` : `not delivered: ${problem ?? "unknown"}`}`;
  return `${results.map(line).join("\n")}\n`;
}
