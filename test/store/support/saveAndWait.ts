/** A process that saves one running and one ended exchange, says so, and waits. Arguments: data directory. */
import { openStore } from "../../../src/store/client.ts";
import { anExchange } from "./rows.ts";

const [dataDir = ""] = process.argv.slice(2);
const silent = (): void => undefined;
const store = await openStore({
  dataDir,
  now: () => Date.now(),
  monotonic: () => performance.now(),
  log: { debug: silent, info: silent, warn: silent, error: silent },
  retention: {
    rawSampleHours: 6,
    tenSecondSampleDays: 7,
    minuteSampleDays: 90,
    exchangeDays: 365,
    otherExchangeDays: 7,
  },
});
store.saveExchange(anExchange({ id: "running", state: { phase: "waiting", stage: "prefill" } }));
store.saveExchange(anExchange({ id: "ended" }));
console.log("saved");
setInterval(silent, 1000);
