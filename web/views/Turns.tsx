import type { Exchange } from "../../src/types.ts";
import { formatBytes, formatCount, formatDuration, formatRate, formatWhen } from "../format.ts";
import { decodeTokensPerSecond, firstTokenMs } from "../rates.ts";
import { cursorAt, now } from "../store.ts";
import { noticeWords } from "../words.ts";
import { Mark } from "./Mark.tsx";

const turnsShown = 200;

/** The turns of one chat, the latest first: the table behind its small chart. */
export function Turns({ turns }: { turns: readonly Exchange[] }) {
  if (turns.length === 0) return <p class="empty">Its turns are not on record.</p>;
  return (
    <div class="turns scroll" role="region" tabIndex={0} aria-label="Turns of this chat">
      <table class="small">
        <thead>
          <tr>
            <th scope="col">Turn</th>
            <th scope="col">Time</th>
            <th scope="col">
              Input <Mark from="measured" />
            </th>
            <th scope="col">
              Context <Mark from="derived" />
            </th>
            <th scope="col">
              First token <Mark from="measured" />
            </th>
            <th scope="col">
              tok/s <Mark from="derived" />
            </th>
            <th scope="col">
              Memory <Mark from="measured" />
            </th>
            <th scope="col">Notices</th>
          </tr>
        </thead>
        <tbody>
          {turns
            .slice(-turnsShown)
            .toReversed()
            .map((turn) => (
              <tr key={turn.id} onMouseEnter={() => (cursorAt.value = turn.startedAt)}>
                <th scope="row">
                  {turn.turn === undefined ? "" : formatCount(turn.turn)}
                  {turn.branchOf ? " again" : ""}
                </th>
                <td>{formatWhen(turn.startedAt, now.peek())}</td>
                <td>{formatCount(turn.usage?.inputTokens)}</td>
                <td>{formatCount(turn.contextTokensUsed)}</td>
                <td>{formatDuration(firstTokenMs(turn))}</td>
                <td>{formatRate(decodeTokensPerSecond(turn))}</td>
                <td>{formatBytes(turn.prediction?.runnerBytes?.actual)}</td>
                <td class="text">{turn.notices.map(({ kind }) => noticeWords[kind] ?? kind).join(", ")}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}
