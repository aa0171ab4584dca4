/** The process that plays the clients. Started by the bench, asked over its channel. */
import { runBursts } from "./driver/bursts.ts";
import { takeFingerprint } from "./driver/fingerprint.ts";
import { runRequests } from "./driver/requests.ts";
import { runStreams } from "./driver/streams.ts";
import { runThroughput } from "./driver/throughput.ts";
import { runUpload } from "./driver/upload.ts";
import { serveCommands } from "./wire/commands.ts";

const commands = { runStreams, runThroughput, runRequests, runBursts, runUpload, takeFingerprint };

export type DriverCommands = typeof commands;

serveCommands(commands);
