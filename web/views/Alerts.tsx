import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Advice, ChannelHealth, Episode } from "../../src/types.ts";
import { readAdvice, readEpisodes, startDrill, testChannels } from "../apiAlerts.ts";
import { formatBytes, formatElapsed, formatWhen } from "../format.ts";
import { conversations, episodes, health, now, sample, version } from "../store.ts";
import { withEpisodes } from "../state.ts";
import { causeWords, episodeWords, headroomWords, outcomeWords } from "../words.ts";
import { Remedies, saysWhatItSaves } from "./Remedies.tsx";

/** Every warning and how it went, what is worth changing, and whether a warning would reach anybody. */
export function Alerts() {
  const past = useSignal<Episode[]>([]);
  const advice = useSignal<Advice[] | undefined>(undefined);
  const newest = episodes.value.map(({ id, endedAt }) => `${id}${endedAt}`).join();
  useEffect(() => {
    // Without an answer what is known stays.
    readEpisodes().then(
      (read) => (past.value = read),
      () => {},
    );
  }, [newest]);
  useEffect(() => {
    readAdvice().then(
      (read) => (advice.value = read),
      () => {},
    );
  }, [newest, conversations.value.length]);
  return (
    <>
      <section class="advice" aria-labelledby="advice-title">
        <div class="head">
          <h2 id="advice-title">Advice</h2>
        </div>
        <AdviceList advice={advice.value ?? []} />
      </section>
      <section class="episodes" aria-labelledby="episodes-title">
        <div class="head">
          <h2 id="episodes-title">Alerts</h2>
          <Tries />
        </div>
        <Channels />
        <Episodes rows={withEpisodes(past.value, episodes.value)} />
      </section>
    </>
  );
}

function AdviceList({ advice }: { advice: readonly Advice[] }) {
  if (advice.length === 0)
    return <p class="empty">Nothing to advise: it comes from what your chats show over time.</p>;
  return (
    <ul>
      {advice.map(({ id, text, savesBytes, savesMs, remedies }) => (
        <li key={id}>
          <p>
            {/[.!?]$/.test(text) ? text : `${text}.`}
            {savesBytes && !remedies.some(saysWhatItSaves) ? (
              <span class="dim"> Saves {formatBytes(savesBytes)}.</span>
            ) : null}
            {savesMs ? <span class="dim"> Saves {formatElapsed(savesMs)}.</span> : null}
          </p>
          <Remedies remedies={remedies} said={text} />
        </li>
      ))}
    </ul>
  );
}

function Episodes({ rows }: { rows: readonly Episode[] }) {
  if (rows.length === 0)
    return (
      <p class="empty">
        No alert yet. One comes before the machine starts to swap; a drill shows what it looks like.
      </p>
    );
  return (
    <ul>
      {rows.map((episode) => {
        const { id, level, startedAt, endedAt, drill, lowestHeadroomBytes } = episode;
        return (
          <li key={id} data-level={level}>
            <p>
              <b class="level">
                {drill ? "drill · " : ""}
                {level}
              </b>{" "}
              {formatWhen(startedAt, now.value)}, {endedAt === undefined ? "open for" : "lasted"}{" "}
              {formatElapsed((endedAt ?? now.value) - startedAt)}: <b>{outcomeWords(episode)}</b>
            </p>
            <p>{episodeWords(episode)}</p>
            <p class="dim">
              {causeWords(episode)}{" "}
              {lowestHeadroomBytes !== undefined &&
                `At worst ${headroomWords(lowestHeadroomBytes, sample.value?.swapTotalBytes)}.`}
            </p>
            <Remedies remedies={episode.remedies} />
          </li>
        );
      })}
    </ul>
  );
}

function Channels() {
  const channels = health.value?.channels ?? [];
  return (
    <p class="dim">
      Alerts appear on this page
      {channels.length === 0
        ? "; alerts.channels in the configuration sends them elsewhere too."
        : ` and go to ${channels.map(channelText).join(", ")}.`}
    </p>
  );
}

/** The log needs no trying. */
function channelText({ channel, type, state, problem }: ChannelHealth): string {
  const name = channel === "log" ? "the log" : channel;
  if (state === "failing") return `${name} (failing${problem ? `: ${problem}` : ""})`;
  return state === "ok" || type === "log" ? name : `${name} (not tried yet)`;
}

/** Two buttons that try the way of a warning without one. */
function Tries() {
  const said = useSignal<string | undefined>(undefined);
  const attempt = async (ask: () => Promise<string>): Promise<void> => {
    try {
      said.value = await ask();
    } catch (error) {
      said.value = error instanceof Error ? error.message : String(error);
    }
  };
  const drill = async (): Promise<string> => {
    const seconds = await startDrill();
    const forLong = seconds === undefined ? "" : ` for ${formatElapsed(seconds * 1000)}`;
    return `The drill runs${forLong}: a recorded run, whose alert appears above, marked as a drill.`;
  };
  const test = async (): Promise<string> => {
    const results = await testChannels();
    if (results.length === 0) return "No channel is set up.";
    return results
      .map(
        ({ channel, delivered, problem }) => `${channel}: ${delivered ? "delivered" : (problem ?? "failed")}`,
      )
      .join("; ");
  };
  const live = version.value !== undefined;
  return (
    <div class="buttons">
      <span role="status">{said.value}</span>
      <button type="button" disabled={!live} onClick={() => void attempt(drill)}>
        Start a drill
      </button>
      <button type="button" disabled={!live} onClick={() => void attempt(test)}>
        Send a test message
      </button>
    </div>
  );
}
