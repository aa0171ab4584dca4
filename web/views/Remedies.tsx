import type { Remedy } from "../../src/types.ts";
import { formatBytes } from "../format.ts";
import { machine } from "../store.ts";
import { CopyLine } from "./Copy.tsx";

/** What to do, each with the text to copy. `only`: how many of them. */
export function Remedies({ remedies, only }: { remedies: readonly Remedy[] | undefined; only?: number }) {
  if (!remedies?.length) return null;
  return (
    <ul class="remedies">
      {remedies.slice(0, only).map((remedy) => (
        <li key={remedy.id}>
          <span>
            {remedy.text}
            {remedy.savesBytes && !remedy.text.includes("saves") ? (
              <span class="dim"> saves {formatBytes(remedy.savesBytes)}</span>
            ) : null}
          </span>
          {commandsHere(remedy, only !== undefined).map(({ platform, text }) => (
            <CopyLine key={platform + text} text={text} label={platform === "any" ? undefined : platform} />
          ))}
        </li>
      ))}
    </ul>
  );
}

/** The command for the machine that is watched first; where there is room for one, only that. */
function commandsHere({ commands }: Remedy, onlyOne: boolean): Remedy["commands"] {
  const os = (machine.value?.osName ?? "").toLowerCase();
  const platform = /darwin|mac/.test(os) ? "macos" : /windows/.test(os) ? "windows" : "linux";
  const rank = (command: Remedy["commands"][number]): number =>
    command.platform === platform ? 0 : command.platform === "any" ? 1 : 2;
  const sorted = (commands ?? []).toSorted((a, b) => rank(a) - rank(b));
  return onlyOne ? sorted.slice(0, 1) : sorted;
}
