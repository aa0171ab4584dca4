/** The assistant's words out of an answer in any of the APIs, so that the next turn can carry them. */

export function answerText(answer: string): string {
  return answer
    .split("\n")
    .map((line) => line.replace(/^data: /u, "").trim())
    .filter((line) => line.startsWith("{"))
    .map((line) => textOf(JSON.parse(line) as Answer))
    .join("");
}

interface Answer {
  message?: { content?: string };
  response?: unknown;
  choices?: { delta?: { content?: string }; message?: { content?: string } }[];
  delta?: string | { text?: string };
  content?: { text?: string }[];
  output?: { content?: { text?: string }[] }[];
}

function textOf(value: Answer): string {
  if (typeof value.response === "string") return value.response;
  if (typeof value.delta === "string") return value.delta;
  const choice = value.choices?.[0];
  return (
    value.message?.content ??
    choice?.delta?.content ??
    choice?.message?.content ??
    value.delta?.text ??
    value.output?.[0]?.content?.[0]?.text ??
    value.content?.[0]?.text ??
    ""
  );
}
