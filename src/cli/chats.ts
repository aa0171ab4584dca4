/** `plimsoll chats`: the chats of late, or one of them turn by turn; from the running Plimsoll or from its record. */
import { readMigrations } from "../store/migrate.ts";
import { openReader } from "../store/readOnly.ts";
import type { Advice, Conversation } from "../types.ts";
import { ownUrl } from "./address.ts";
import type { Config } from "../config.ts";
import { askRunning, plimsollAt } from "./askRunning.ts";
import { adviceText, chatsText, chatText } from "./chatsText.ts";
import { EXIT } from "./exit.ts";
import { MIGRATIONS_DIRECTORY } from "./paths.ts";
import type { Command } from "./command.ts";
import { readSettings } from "./settings.ts";
import { remark, say, sayJson } from "./terminal.ts";
import { UsageError } from "./usage.ts";

const DEFAULT_LIMIT = 20;
const MOST = 1000;

export const chats: Command = {
  summary: "the chats of late: how full, what was cut, how much is left; or one, turn by turn",
  usage: `plimsoll chats [ID] [options]

  ID               one chat with its turns
  --limit N        so many chats (default ${DEFAULT_LIMIT}, at most ${MOST}), the one with the latest turn first
  --model NAME     only those with this model
  --client NAME    only those of this client
  --all            also what programs ask on their own account: titles, tags, completions
  --json           as JSON, as /plimsoll/api/conversations answers
  --listen HOST:PORT, --token TOKEN   the Plimsoll to ask
  --data-dir DIR   read the record in this directory instead; so it is done where no Plimsoll answers

Chats are told apart by salted hashes; not a word of them is kept.`,
  async run(args) {
    const [id, rest] = args[0]?.startsWith("-") === false ? [args[0], args.slice(1)] : [undefined, args];
    const { config, dataDir, flags } = readSettings(rest, {
      limit: { type: "string" },
      model: { type: "string" },
      client: { type: "string" },
      all: { type: "boolean" },
      json: { type: "boolean" },
    });
    const query: ChatsQuery = {
      limit: readLimit(flags["limit"]),
      ...(typeof flags["model"] === "string" && { model: flags["model"] }),
      ...(typeof flags["client"] === "string" && { client: flags["client"] }),
      ...(flags["all"] === true && { purpose: "any" }),
    };
    const namesRecord = rest.some((word) => word === "--data-dir" || word.startsWith("--data-dir="));
    const source = (namesRecord ? undefined : await running(config)) ?? fromRecord(dataDir);
    try {
      const found = id === undefined ? await source.list(query) : await source.find(id);
      if (found === undefined) {
        remark(`plimsoll chats: there is no chat "${id ?? ""}" in ${source.name}.\n`);
        return EXIT.failed;
      }
      if (flags["json"] === true) {
        sayJson(found);
        return EXIT.good;
      }
      const text =
        "conversations" in found
          ? chatsText(found.conversations, Date.now()) + adviceText(await source.advice())
          : chatText(found, Date.now());
      say(text);
      return EXIT.good;
    } finally {
      source.close();
    }
  },
};

interface ChatsQuery {
  limit: number;
  model?: string;
  client?: string;
  purpose?: "any";
}

interface Source {
  name: string;
  list(query: ChatsQuery): Promise<{ conversations: Conversation[]; next?: string }>;
  find(id: string): Promise<Conversation | undefined>;
  /** Only a running Plimsoll has any. */
  advice(): Promise<Advice[]>;
  close(): void;
}

function readLimit(text: unknown): number {
  const limit = text === undefined ? DEFAULT_LIMIT : Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST) {
    throw new UsageError(`chats: --limit "${String(text)}" is no number from 1 to ${MOST}`);
  }
  return limit;
}

/** Undefined when nobody listens there. */
async function running(config: Config): Promise<Source | undefined> {
  const ask = async (path: string): Promise<unknown> => {
    const reply = await askRunning(config, path);
    if (reply?.refusal !== undefined && reply.status !== 404) {
      throw new Error(reply.refusal);
    }
    return reply?.refusal === undefined ? reply?.body : undefined;
  };
  if ((await plimsollAt(ownUrl(config.listen))) === undefined) {
    return undefined;
  }
  return {
    name: ownUrl(config.listen),
    list: async (query) => {
      const parameters = new URLSearchParams(
        Object.entries(query).map(([key, value]): [string, string] => [key, String(value)]),
      );
      return (await ask(`conversations?${parameters.toString()}`)) as { conversations: Conversation[] };
    },
    find: async (id) => (await ask(`conversations/${encodeURIComponent(id)}`)) as Conversation | undefined,
    advice: async () => ((await ask("advice")) as { advice: Advice[] } | undefined)?.advice ?? [],
    close: () => {},
  };
}

function fromRecord(dataDir: string): Source {
  const reader = openReader(dataDir, readMigrations(MIGRATIONS_DIRECTORY).length);
  return {
    name: dataDir,
    list: async (query) => reader.conversations(query),
    find: async (id) => reader.conversation(id),
    advice: async () => [],
    close: reader.close,
  };
}
