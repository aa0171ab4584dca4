/** `npm run bench:alerts`: leads and false alarms beside earlyoom, nohang, Netdata and systemd-oomd; takes seconds. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ALERT_FIXTURES, compareAlerts } from "./alerts/compare.ts";
import { alertSection, withAlertSection } from "./alerts/section.ts";

const results = join(import.meta.dirname, "results.md");
const section = alertSection(compareAlerts(ALERT_FIXTURES));
writeFileSync(results, withAlertSection(readFileSync(results, "utf8"), section));
process.stdout.write(`${section}\n`);
