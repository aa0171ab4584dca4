/**
 * Commands to copy. Each is safe to paste as it stands: no comments (an interactive zsh would run them), nothing that
 * deletes, and no name that a shell could take for more than a name.
 */
import type { Remedy } from "../types.ts";

export type Commands = Remedy["commands"];

/** Ollama's own rule for names. Any other name is of no model, and is not put into a command. */
const PLAIN_NAME = /^[a-z0-9][\w.:/-]{0,200}$/i;

/** The name if it can stand in a shell, a Modelfile and JSON as it is; undefined for any other. */
export function plainModelName(model: string): string | undefined {
  return PLAIN_NAME.test(model) ? model : undefined;
}

/** Variables of the Ollama server, where each system keeps them. They hold from Ollama's next start on. */
export function environmentCommands(variables: Readonly<Record<string, string>>): Commands {
  const pairs = Object.entries(variables);
  const assignments = pairs.map(([name, value]) => `${name}=${value}`);
  return [
    {
      platform: "linux",
      text: dropIn(
        fileNameOf(pairs[0]?.[0] ?? "ollama"),
        assignments.map((pair) => `Environment="${pair}"`),
      ),
    },
    { platform: "linux", text: `${assignments.join(" ")} ollama serve` },
    {
      platform: "macos",
      text: `${pairs.map(([name, value]) => `launchctl setenv ${name} ${value}`).join(" && ")} && osascript -e 'quit app "Ollama"' && sleep 3 && open -a Ollama`,
    },
    { platform: "windows", text: pairs.map(([name, value]) => `setx ${name} ${value}`).join("\n") },
    { platform: "docker", text: assignments.map((pair) => `-e ${pair}`).join(" ") },
    {
      platform: "docker",
      text: ["environment:", ...assignments.map((pair) => `  - ${pair}`)].join("\n"),
    },
  ];
}

/**
 * A drop-in of the `ollama` unit, as `systemctl edit ollama` writes it, without an editor in between. A file for each
 * setting: said again, it replaces itself and nothing else.
 */
function dropIn(name: string, lines: readonly string[]): string {
  const folder = "/etc/systemd/system/ollama.service.d";
  const quoted = ["[Service]", ...lines].map((line) => `'${line}'`).join(" ");
  return [
    `sudo mkdir -p ${folder}`,
    `printf '%s\\n' ${quoted} | sudo tee ${folder}/plimsoll-${name}.conf`,
    "sudo systemctl daemon-reload && sudo systemctl restart ollama",
  ].join(" && ");
}

/** The same weights under a second name with a context of its own: no copy is made of them. */
export function modelfileCommands(model: string, contextLength: number): Commands {
  const name = plainModelName(model);
  if (name === undefined) {
    return [];
  }
  const created = nameWithContext(name, contextLength);
  const unix = `f=$(mktemp) && printf 'FROM %s\\nPARAMETER num_ctx %s\\n' '${name}' ${contextLength} > "$f" && ollama create '${created}' -f "$f"`;
  return [
    { platform: "any", text: `FROM ${name}\nPARAMETER num_ctx ${contextLength}` },
    { platform: "linux", text: unix },
    { platform: "macos", text: unix },
    {
      platform: "windows",
      text: `'FROM ${name}', 'PARAMETER num_ctx ${contextLength}' | Set-Content -Encoding ascii "$env:TEMP\\Modelfile"; ollama create '${created}' -f "$env:TEMP\\Modelfile"`,
    },
    {
      platform: "docker",
      text: `docker exec ollama sh -c "printf 'FROM %s\\nPARAMETER num_ctx %s\\n' '${name}' ${contextLength} > /tmp/Modelfile && ollama create '${created}' -f /tmp/Modelfile"`,
    },
  ];
}

/** `hf.co/user/gemma3:270m` at 16384 → `gemma3-270m-16k`. */
export function nameWithContext(model: string, contextLength: number): string {
  const own = (model.split("/").at(-1) ?? model).replace(/:latest$/i, "").replaceAll(":", "-");
  const size = contextLength % 1024 === 0 ? `${contextLength / 1024}k` : String(contextLength);
  return `${own}-${size}`;
}

/** What a client sends with its request. */
export function requestOption(option: "num_ctx", value: number): Commands[number] {
  return { platform: "any", text: `"options": {"${option}": ${value}}` };
}

function fileNameOf(variable: string): string {
  return variable.toLowerCase().replaceAll("_", "-");
}
