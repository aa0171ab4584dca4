/**
 * Many people and programs at one Ollama, as the wire would show them: chats that interleave, messages edited and
 * answers wanted anew, titles and completions on the side, clients that trim, tools, errors. Says of each request to
 * which chat it truly belongs.
 */
import type { Dialect, Operation } from "../../src/types.ts";

export interface SimulatedRequest {
  at: number;
  /** The chat that it truly belongs to; side requests and completions have none of their own. */
  truth: string;
  kind: "turn" | "side";
  /** The first words of its chat. */
  opening: string;
  client: { userAgent: string; address: string };
  operation: Operation;
  dialect: Dialect;
  givenId?: string;
  body: object;
  /** What the model says; absent when it calls a tool. */
  answer?: string;
  responseId?: string;
  ends: "completed" | "cancelled" | "failed";
  answerMs: number;
}

interface Message {
  role: "system" | "user" | "assistant" | "tool";
  content: string;
  calls?: boolean;
}

const SHORT_OPENINGS = ["hi", "Hello", "hey there", "test", "Hi!"];
/** What a page offers to begin with. */
const SUGGESTIONS = [
  "Tell me a fun fact about the Roman Empire, please.",
  "Show me a code snippet of a website's sticky header in CSS and JavaScript.",
  "Help me study vocabulary: write a sentence for me to fill in the blank.",
  "Give me ideas for what to do with my kids' art.",
  "Explain options trading if I'm familiar with buying and selling stocks.",
];
const FOLLOW_UPS = ["go on", "thanks", "why?", "ok", "shorter please"];

interface Habits {
  userAgent: string;
  dialect: Dialect;
  system?: "fixed" | "clock";
  /** Sends at most so many messages. */
  keeps?: number;
  /** Asks for titles and follow-ups. */
  asksTitles?: boolean;
  givesId?: boolean;
  /** Sends back the answers without what was thought, or wrapped anew. */
  alters?: boolean;
  /** The same question has the same answer. */
  isCold?: boolean;
  usesTools?: boolean;
  refers?: boolean;
  /** Of how many addresses; people behind a server share one. */
  addresses: number;
  weight: number;
}

const HABITS: Habits[] = [
  { userAgent: "Python/3.11 aiohttp/3.11", dialect: "ollama", asksTitles: true, addresses: 1, weight: 25 },
  {
    userAgent: "Python/3.11 aiohttp/3.12",
    dialect: "ollama",
    asksTitles: true,
    givesId: true,
    addresses: 1,
    weight: 8,
  },
  { userAgent: "ollama/0.33 (amd64 linux) Go/1.24", dialect: "ollama", addresses: 20, weight: 15 },
  { userAgent: "OpenAI/JS 7.55", dialect: "openai", system: "fixed", alters: true, addresses: 3, weight: 12 },
  { userAgent: "OpenAI/Python 3.52", dialect: "openai", system: "clock", keeps: 8, addresses: 3, weight: 8 },
  {
    userAgent: "claude-cli/2.1",
    dialect: "anthropic",
    system: "fixed",
    usesTools: true,
    addresses: 2,
    weight: 8,
  },
  { userAgent: "codex_cli/0.169", dialect: "responses", refers: true, addresses: 2, weight: 6 },
  {
    userAgent: "HomeAssistant/2026.9",
    dialect: "ollama",
    system: "clock",
    isCold: true,
    addresses: 1,
    weight: 5,
  },
  { userAgent: "Zed/0.9", dialect: "ollama", system: "fixed", addresses: 4, weight: 8 },
  { userAgent: "trimmer/1", dialect: "ollama", keeps: 6, alters: true, addresses: 2, weight: 5 },
];

export interface People {
  requests: SimulatedRequest[];
  chats: number;
}

export function simulatePeople({ chats, random }: { chats: number; random: () => number }): People {
  const requests: SimulatedRequest[] = [];
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const words = (count: number): string =>
    Array.from({ length: count }, () => `w${Math.floor(random() * 20_000).toString(36)}`).join(" ");
  const total = HABITS.reduce((sum, { weight }) => sum + weight, 0);
  const someHabits = (): Habits => {
    let left = random() * total;
    return HABITS.find(({ weight }) => (left -= weight) < 0) ?? (HABITS[0] as Habits);
  };
  /** About two hundred chats are in progress at any time. */
  const spanMs = chats * 3000;

  for (let index = 0; index < chats; index += 1) {
    simulateChat(`chat-${index}`, someHabits(), random() * spanMs);
  }
  for (let burst = 0; burst < chats / 50; burst += 1) {
    completeCode(`burst-${burst}`, random() * spanMs);
  }
  return { requests: requests.toSorted((a, b) => a.at - b.at), chats };

  function simulateChat(truth: string, habits: Habits, startAt: number): void {
    const client = {
      userAgent: habits.userAgent,
      address: `10.0.0.${Math.floor(random() * habits.addresses)}`,
    };
    const turns = 1 + Math.floor(-Math.log(1 - random()) * 5);
    const history: Message[] = [];
    let at = startAt;
    let responseId: string | undefined;
    let responses = 0;

    function ask(ends: SimulatedRequest["ends"] = "completed", more: Partial<SimulatedRequest> = {}): void {
      const answerMs = 2000 + random() * 20_000;
      responses += 1;
      const own = `${truth}-${responses}`;
      requests.push({
        at,
        truth,
        kind: "turn",
        opening: history[0]?.content ?? "",
        client,
        operation: "chat",
        dialect: habits.dialect,
        body: bodyOf(habits, history, { at, previous: responseId }),
        ends,
        answerMs,
        ...(habits.givesId && { givenId: truth }),
        ...(habits.refers && { responseId: own }),
        ...more,
      });
      if (habits.refers && ends === "completed") {
        responseId = own;
      }
      at += answerMs;
    }

    function answered(): string {
      const said = history.filter(({ role }) => role === "user").at(-1)?.content ?? "";
      return habits.isCold ? `It is so: ${said.slice(0, 40)}` : `${words(3 + Math.floor(random() * 40))}.`;
    }

    function turn(content: string): void {
      history.push({ role: "user", content });
      if (habits.usesTools && random() < 0.5) {
        for (let step = 0; step < 1 + random() * 3; step += 1) {
          ask();
          history.push({ role: "assistant", content: "", calls: true }, { role: "tool", content: words(5) });
          at += 200;
        }
      }
      if (random() < 0.01) {
        ask("failed");
        at += 2000;
      }
      let answer = answered();
      const cancelled = random() < 0.02;
      ask(cancelled ? "cancelled" : "completed", { answer: cancelled ? answer.slice(0, 30) : answer });
      if (random() < 0.06 && !habits.refers) {
        at += 3000 + random() * 60_000;
        answer = answered();
        ask("completed", { answer });
      }
      history.push({ role: "assistant", content: cancelled ? answer.slice(0, 30) : answer });
    }

    for (let count = 0; count < turns; count += 1) {
      const opening = random();
      if (count > 0) {
        turn(random() < 0.2 ? pick(FOLLOW_UPS) : words(3 + Math.floor(random() * 30)));
      } else if (opening < 0.15) {
        turn(pick(SHORT_OPENINGS));
      } else {
        turn(opening < 0.25 ? pick(SUGGESTIONS) : words(4 + Math.floor(random() * 30)));
      }
      if (habits.asksTitles) {
        askOnTheSide(history, { truth, client, at, first: count === 0 });
      }
      at += 5000 + random() * (random() < 0.1 ? 3_600_000 : 120_000);
      const users = history.flatMap((message, place) => (message.role === "user" ? [place] : []));
      // A first message that is edited is a new chat to anybody who looks on.
      if (random() < 0.05 && users.length > 1 && !habits.refers) {
        history.length = users[Math.max(1, users.length - 1 - Math.floor(random() * 2))] as number;
        turn(words(5 + Math.floor(random() * 20)));
        at += 20_000;
      }
    }
  }

  function askOnTheSide(
    history: readonly Message[],
    {
      truth,
      client,
      at,
      first,
    }: { truth: string; client: SimulatedRequest["client"]; at: number; first: boolean },
  ): void {
    const told = `<chat_history>\n${history.map(({ role, content }) => `${role}: ${content}`).join("\n")}\n</chat_history>`;
    const tasks = [
      "Suggest 3-5 relevant follow-up questions or prompts that the user might naturally ask next.",
    ];
    if (first) {
      tasks.push(
        "Generate a concise, 3-5 word title with an emoji summarizing the chat history.",
        "Generate 1-3 broad tags categorizing the main themes of the chat history.",
      );
    }
    tasks.forEach((task, order) => {
      const messages = [{ role: "user", content: `### Task:\n${task}\n### Chat History:\n${told}` }];
      requests.push({
        at: at + order + 10,
        truth,
        kind: "side",
        opening: "",
        client,
        operation: "chat",
        dialect: "ollama",
        body: { model: "m", messages },
        answer: "{}",
        ends: "completed",
        answerMs: 500,
      });
    });
  }

  function completeCode(truth: string, startAt: number): void {
    let at = startAt;
    for (let count = 0; count < 3 + random() * 20; count += 1) {
      requests.push({
        at,
        truth,
        kind: "side",
        opening: "",
        client: { userAgent: "Zed/0.9", address: "10.0.0.1" },
        operation: "generate",
        dialect: "ollama",
        body: { model: "m", prompt: words(10), suffix: words(3), raw: true },
        ends: random() < 0.5 ? "cancelled" : "completed",
        answerMs: 300,
      });
      at += 500 + random() * 20_000;
    }
  }

  function bodyOf(
    habits: Habits,
    history: readonly Message[],
    { at, previous }: { at: number; previous?: string },
  ): object {
    const kept = habits.keeps === undefined ? history : history.slice(-habits.keeps);
    const system =
      habits.system === "clock"
        ? `You are helpful. It is ${new Date(at).toISOString()}.`
        : "You are helpful. Answer briefly.";
    const content = (message: Message): string =>
      habits.alters && message.role === "assistant" ? `\n${message.content.slice(0, -1)}` : message.content;
    if (habits.dialect === "responses") {
      const said = previous === undefined ? history : history.slice(-1);
      return {
        model: "m",
        input: said.map(({ role, content }) => ({ role, content })),
        previous_response_id: previous,
      };
    }
    if (habits.dialect === "anthropic") {
      return {
        model: "m",
        system,
        max_tokens: 100,
        messages: kept.map((message) =>
          message.role === "tool"
            ? { role: "user", content: [{ type: "tool_result", tool_use_id: "x", content: message.content }] }
            : {
                role: message.role,
                content: message.calls
                  ? [{ type: "tool_use", id: "x", name: "f", input: {} }]
                  : message.content,
              },
        ),
      };
    }
    const messages = kept.map((message) => ({ role: message.role, content: content(message) }));
    return {
      model: "m",
      messages: habits.system === undefined ? messages : [{ role: "system", content: system }, ...messages],
    };
  }
}
