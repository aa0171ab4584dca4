import type { Advice, Episode } from "../src/types.ts";
import { post, read } from "./api.ts";
import { tidyAll, tidyEpisode } from "./tidy.ts";

/** The server's alerts, past ones too, and what it advises. */

export async function readEpisodes(): Promise<Episode[]> {
  return tidyAll((await read<{ alerts: unknown }>("./api/alerts?limit=100")).alerts, tidyEpisode);
}

export async function readAdvice(): Promise<Advice[]> {
  return (await read<{ advice?: Advice[] }>("./api/advice")).advice ?? [];
}

/** Sends a test message over every channel and answers how each took it. */
export async function testChannels(): Promise<ChannelTest[]> {
  return ((await post("./api/alerts/test")) as { test?: ChannelTest[] }).test ?? [];
}

interface ChannelTest {
  channel: string;
  delivered?: boolean;
  problem?: string;
}

/** Has the server play a recorded run through its detector; for how many seconds, where it says so. */
export async function startDrill(): Promise<number | undefined> {
  return ((await post("./api/drill")) as { drill?: { seconds?: number } } | undefined)?.drill?.seconds;
}
