#!/usr/bin/env node
/** The bin. With cli/, the only code that touches `process`. */
import { setFlagsFromString } from "node:v8";

// The SQLite driver is built for Node-API 10 and ends an older Node with a segmentation fault instead of a message.
if (Number(process.versions.napi) < 10) {
  process.stderr.write(
    `Plimsoll needs Node 22.21 or newer; this is ${process.version}. From a checkout, \`npm start\` brings its own.\n`,
  );
  process.exit(78);
}

// A reader that has seen enough, such as `head`, is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") {
    throw error;
  }
});

// Threads that get no processor are slow to free what V8 has done compiling: some 30 MiB of it would pile up.
setFlagsFromString("--no-maglev-destroy-on-background");

const { run } = await import("./cli/run.ts");
process.exitCode = await run(process.argv.slice(2));
