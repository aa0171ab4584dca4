import type { Remedy } from "../../src/types.ts";
import { formatBytes } from "../format.ts";
import { machine } from "../store.ts";
import { CopyLine } from "./Copy.tsx";

interface RemediesProps {
  remedies: readonly Remedy[] | undefined;
  /** How many of them; there is then room for one command of each. */
  only?: number;
  /** What has been said already: a remedy that says nothing else shows its commands alone. */
  said?: string;
}

/** In words of its own. */
export function saysWhatItSaves({ text }: Remedy): boolean {
  return /\b(?:saves|frees)\b/.test(text);
}

/** What to do, each with the text to copy. */
export function Remedies({ remedies, only, said = "" }: RemediesProps) {
  if (!remedies?.length) return null;
  return (
    <ul class="remedies">
      {remedies.slice(0, only).map((remedy) => (
        <li key={remedy.id}>
          {!said.includes(remedy.text) && (
            <span>
              {remedy.text}
              {remedy.savesBytes && !saysWhatItSaves(remedy) ? (
                <span class="dim"> saves {formatBytes(remedy.savesBytes)}</span>
              ) : null}
            </span>
          )}
          <Commands remedy={remedy} brief={only !== undefined} />
        </li>
      ))}
    </ul>
  );
}

/** The commands for the machine that is watched; those for others are folded away. */
function Commands({ remedy: { commands }, brief }: { remedy: Remedy; brief: boolean }) {
  const os = (machine.value?.osName ?? "").toLowerCase();
  const platform = /darwin|mac/.test(os) ? "macos" : /windows/.test(os) ? "windows" : "linux";
  const own = commands.filter((command) => command.platform === platform);
  const here = [...own, ...commands.filter((command) => command.platform === "any")];
  const elsewhere = commands.filter((command) => !here.includes(command));
  const lines = (shown: Remedy["commands"]) =>
    shown.map(({ platform: name, text }) => (
      <CopyLine
        key={name + text}
        text={text}
        label={name === platform || name === "any" ? undefined : name}
      />
    ));
  if (brief) return <>{lines((here.length > 0 ? here : elsewhere).slice(0, 1))}</>;
  return (
    <>
      {lines(here)}
      {elsewhere.length > 0 && (
        <details class="behind">
          <summary>On other systems</summary>
          {lines(elsewhere)}
        </details>
      )}
    </>
  );
}
