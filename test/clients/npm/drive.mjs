/**
 * Drives one npm client: `node drive.mjs CLIENT URL` prints a line of JSON for each scenario, what the client got.
 * Models are named in MODELS (JSON). Nothing here knows of Plimsoll: a client must not need to.
 */
import { clients } from "./clients.mjs";

const [name = "", url = "", only] = process.argv.slice(2);
const models = JSON.parse(process.env["MODELS"] ?? "{}");
const client = clients[name](url);

for (const scenario of ["stream", "whole", "tools", "cancel", "error"]) {
  if (only !== undefined && only !== scenario) continue;
  let result;
  try {
    result = await client[scenario](models[scenario]);
  } catch (error) {
    result = {
      error: {
        name: error.name,
        status: error.status ?? error.statusCode ?? error.status_code,
        message: error.message,
      },
    };
  }
  process.stdout.write(`${JSON.stringify({ scenario, result })}\n`);
  // An aborted connection needs a moment to be seen as closed on the other side.
  await new Promise((resolve) => setTimeout(resolve, 150));
}
process.exit(0);
