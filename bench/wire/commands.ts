/** Questions and answers between the bench and its own processes, over the channel that `fork` opens. */

/** What a process can be asked. Each takes one value and answers with one. */
export type Commands = Record<string, (input: never) => unknown>;

interface Question {
  id: number;
  command: string;
  input: unknown;
}

export type Reply = { id: number; value: unknown } | { id: number; error: string };

/** Answers the parent's questions until it goes away. */
export function serveCommands(commands: Commands): void {
  process.on("message", (question: Question) => {
    void reply(commands, question).then((answer) => process.send?.(answer));
  });
  process.on("disconnect", () => process.exit(0));
}

async function reply(commands: Commands, { id, command, input }: Question): Promise<Reply> {
  try {
    const run = commands[command];
    if (run === undefined) {
      throw new Error(`unknown command ${command}`);
    }
    return { id, value: await run(input as never) };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}
