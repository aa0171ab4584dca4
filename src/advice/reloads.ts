/** Waiting for models to be loaded again: clients that fight over an option, models unloaded too soon, runners that die. */
import { durationText, nameText } from "../predict/figureText.ts";
import type { LoadCause, ReloadHabit, Remedy } from "../types.ts";
import { clientsOf } from "./contexts.ts";
import { figuresOf, isScarce, weigh, type AdviceFacts, type Weighed } from "./facts.ts";
import { contextFor, fitsInto, type ModelUse } from "./modelUse.ts";

/** Once back and forth can be a person who tries something. */
const FIGHT_RELOADS = 3;
const EXPIRED_RELOADS = 5;
const EXPIRED_MS = 30_000;
const CRASHES = 2;

export function reloadAdvice(
  facts: AdviceFacts,
  uses: readonly ModelUse[],
): { weighed: Weighed[]; fought: Set<string> } {
  const fights = fightsOf(facts);
  return {
    weighed: [
      ...fights.map((fight) => fightAdvice(facts, uses, { fight, all: fights })),
      ...summed(facts, "expired").flatMap((sum) => keepAliveAdvice(facts, sum)),
      ...summed(facts, "crashed").flatMap((sum) => crashAdvice(facts, sum)),
    ],
    fought: new Set(fights.filter(({ option }) => option === "num_ctx").map(({ model }) => model)),
  };
}

interface Fight {
  model: string;
  /** The two, which can be one and the same. */
  pair: string[];
  option: string;
  /** Who sent what; one client can fight with itself. */
  sides: { client?: string; value?: string; asksContext?: boolean; dialect?: string }[];
  count: number;
  loadMs: number;
}

/** The same two clients, whichever of them comes second, over the same option. */
function fightsOf({ habits, canonicalName }: AdviceFacts): Fight[] {
  const fights = new Map<string, Fight>();
  for (const reload of habits.reloads) {
    const [difference] = reload.differences ?? [];
    if (reload.cause !== "options" || difference === undefined) {
      continue;
    }
    const model = canonicalName(reload.model);
    const pair = [reload.client ?? "", reload.previousClient ?? ""].toSorted();
    const key = JSON.stringify([model, difference.option, pair]);
    const fight = fights.get(key) ?? {
      model,
      pair,
      option: difference.option,
      sides: [],
      count: 0,
      loadMs: 0,
    };
    fights.set(key, fight);
    fight.count += reload.count;
    fight.loadMs += reload.loadMs ?? 0;
    const side = {
      client: reload.client,
      value: difference.to,
      asksContext: reload.asksContext,
      dialect: reload.dialect,
    };
    if (!fight.sides.some(({ client, value }) => client === side.client && value === side.value)) {
      fight.sides.push(side);
    }
  }
  return [...fights.values()].filter(({ count }) => count >= FIGHT_RELOADS);
}

interface Settling {
  fight: Fight;
  all: readonly Fight[];
}

function fightAdvice(facts: AdviceFacts, uses: readonly ModelUse[], settling: Settling): Weighed {
  const { model, option, pair, sides, count, loadMs } = settling.fight;
  const who = sides
    .toSorted((left, right) => ((left.client ?? "") < (right.client ?? "") ? -1 : 1))
    .map(({ client, value }) => `${nameText(client ?? "a client")} (${option} ${value ?? "unset"})`)
    .join(" and ");
  const lost = loadMs > 0 ? `, ${durationText(loadMs)} of waiting` : "";
  return weigh({
    id: `fight:${model}:${option}:${pair.join("+")}`,
    kind: "fight",
    text: `${who} fight over ${nameText(model)}: it was loaded again ${count} times${lost}`,
    model,
    clients: clientsOf(sides),
    ...(loadMs > 0 && { savesMs: Math.round(loadMs) }),
    remedies: fightRemedies(
      facts,
      settling,
      uses.find((use) => use.model === model),
    ),
  });
}

/** All who fight over this option of this model are told the same. */
function fightRemedies(
  { remedies, change }: AdviceFacts,
  { fight, all }: Settling,
  use: ModelUse | undefined,
): Remedy[] {
  const { model, option } = fight;
  const sides = all
    .filter((other) => other.model === model && other.option === option)
    .flatMap((other) => other.sides);
  const clients = clientsOf(sides);
  if (option !== "num_ctx") {
    return [remedies.agreeOnOption({ model, option, clients })];
  }
  const contexts = sides.map(({ value }) => Number(value ?? 0)).filter((value) => value > 0);
  if (contexts.length === 0) {
    return [];
  }
  const largest = Math.max(...contexts, contextFor(use?.neededContextLength ?? 1, 1));
  const smallest = Math.min(...contexts);
  // The smaller one, if nobody has ever needed more.
  const contextLength = fitsInto(use, smallest) ? smallest : largest;
  const asksNone = sides.some(({ asksContext }) => asksContext === false);
  const dialects = sides.flatMap(({ dialect }) => (dialect === undefined ? [] : [dialect]));
  const agree = remedies.agreeOnContext({
    model,
    clients,
    contextLength,
    dialects,
    ...figuresOf(change(model, { contextLength })),
  });
  const server = asksNone ? remedies.serverContext({ contextLength }) : undefined;
  return server === undefined ? [agree] : [agree, server];
}

interface Sum {
  model: string;
  clients: string[];
  count: number;
  loadMs: number;
}

function summed({ habits, canonicalName }: AdviceFacts, cause: LoadCause): Sum[] {
  const sums = new Map<string, Sum>();
  const add = (reload: ReloadHabit): void => {
    const model = canonicalName(reload.model);
    const sum = sums.get(model) ?? { model, clients: [], count: 0, loadMs: 0 };
    sums.set(model, {
      model,
      clients: [
        ...new Set([...sum.clients, ...(reload.client === undefined ? [] : [reload.client])]),
      ].toSorted(),
      count: sum.count + reload.count,
      loadMs: sum.loadMs + (reload.loadMs ?? 0),
    });
  };
  habits.reloads.filter((reload) => reload.cause === cause).forEach(add);
  return [...sums.values()];
}

function keepAliveAdvice(facts: AdviceFacts, { model, clients, count, loadMs }: Sum): Weighed[] {
  // Where memory is scarce, a model that goes is a relief.
  if (count < EXPIRED_RELOADS || loadMs < EXPIRED_MS || isScarce(facts)) {
    return [];
  }
  return [
    weigh({
      id: `keep-alive:${model}`,
      kind: "keep-alive",
      text: `${nameText(model)} was unloaded and loaded again ${count} times, ${durationText(loadMs)} of waiting: a longer keep_alive spares that`,
      model,
      clients,
      savesMs: Math.round(loadMs),
      remedies: [facts.remedies.longerKeepAlive({ model, keepAlive: "30m" })],
    }),
  ];
}

function crashAdvice(facts: AdviceFacts, { model, clients, count, loadMs }: Sum): Weighed[] {
  return count < CRASHES
    ? []
    : [
        weigh(
          {
            id: `crashes:${model}`,
            kind: "crashes",
            text: `The runner of ${nameText(model)} died ${count} times, and it was loaded again`,
            model,
            clients,
            ...(loadMs > 0 && { savesMs: Math.round(loadMs) }),
            remedies: [facts.remedies.readLog()],
          },
          count * 30,
        ),
      ];
}
