import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Conversation } from "../../src/types.ts";
import { readConversation } from "../api.ts";
import { cliffMeaning, cliffWords, decayWords, turnsLeft, turnsLeftWords, turnsOf } from "../chats.ts";
import { formatCount } from "../format.ts";
import { conversations, ended, version } from "../store.ts";
import { turnWords } from "../words.ts";
import { Mark } from "./Mark.tsx";
import { Remedies } from "./Remedies.tsx";
import { Spark } from "./Spark.tsx";
import { Turns } from "./Turns.tsx";

/** Every chat that grows: how full it is, how it got there, and when it ends. */
export function Chats() {
  const shown = conversations.value.filter(({ turnCount, purpose }) => turnCount > 0 && isChat(purpose));
  return (
    <section class="chats" aria-labelledby="chats-title">
      <div class="head">
        <h2 id="chats-title">Chats</h2>
        {shown.length > 0 && <span class="count">{shown.length}</span>}
        <span class="dim">tokens after each turn, against the window</span>
      </div>
      {shown.length === 0 ? (
        <p class="empty">{version.value === undefined ? "" : "A chat appears here with its first turn."}</p>
      ) : (
        <ul class="scroll" tabIndex={shown.length > 3 ? 0 : undefined} aria-label="Chats">
          {shown.map((conversation) => (
            <Chat key={conversation.id} conversation={conversation} />
          ))}
        </ul>
      )}
    </section>
  );
}

/** Titles, tags and completions that a client asks for by itself are no chats of people. */
function isChat(purpose: Conversation["purpose"]): boolean {
  return purpose === undefined || purpose === "chat";
}

function Chat({ conversation }: { conversation: Conversation }) {
  const open = useSignal(false);
  const read = useSignal<Conversation | undefined>(undefined);
  const turns = turnsOf(read.value ?? conversation, ended.value);
  const { id, lastAt } = conversation;
  useEffect(() => {
    if (!open.value) return;
    // Without an answer the turns that the page knows stay.
    readConversation(id).then(
      (answer) => (read.value = answer?.turns ? answer : undefined),
      () => {},
    );
  }, [open.value, id, lastAt]);
  const left = turnsLeft(conversation);
  const cliff = cliffWords(conversation);
  return (
    <li>
      <button
        type="button"
        class="chat"
        aria-expanded={open.value}
        onClick={() => (open.value = !open.value)}
      >
        <span class="who">
          <b dir="auto">{conversation.client ?? "unknown client"}</b>
          <span class="dim" dir="auto">
            {conversation.model ?? ""}
          </span>
          <span class="elapsed">
            {turnWords(conversation.turnCount)}
            {left && (
              <>
                , <b>{turnsLeftWords(left.turns)}</b>
                {left.by === "memory" ? " in memory" : ""} <Mark from="predicted" />
              </>
            )}
          </span>
        </span>
        <span class="line">
          <Spark conversation={conversation} turns={turns} />
          {conversation.contextTokensUsed !== undefined && (
            <span class="figure">
              <b>{formatCount(conversation.contextTokensUsed)}</b> / {formatCount(conversation.contextLength)}{" "}
              <Mark from="derived" />
            </span>
          )}
          <span class="figure dim">{decayWords(turns)}</span>
        </span>
        {cliff && (
          <span class="cliff" data-state={conversation.cliff?.state} title={cliffMeaning}>
            {cliff}
          </span>
        )}
      </button>
      {open.value && (
        <>
          <Remedies remedies={conversation.cliff?.remedies} />
          <Turns turns={turns} />
        </>
      )}
    </li>
  );
}
