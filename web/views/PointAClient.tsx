import { live } from "../store.ts";

const { origin, host } = location;

const clients: [client: string, setting: string][] = [
  ["Open WebUI", `OLLAMA_BASE_URL=${origin}`],
  ["ollama command", `OLLAMA_HOST=${host} ollama run <model>`],
  ["OpenAI SDK", `base_url="${origin}/v1"`],
  ["Anthropic SDK", `base_url="${origin}"`],
];

/** What to do when nothing has come through yet: one line a client. */
export function PointAClient() {
  return (
    <div class="empty">
      <p>
        {live.value.length > 0
          ? "The first exchange is running; it is listed here when it ends."
          : "No exchange has come through yet. Point a client at this address instead of Ollama's:"}
      </p>
      <dl class="clients">
        {clients.map(([client, setting]) => (
          <div key={client}>
            <dt>{client}</dt>
            <dd>
              <code>{setting}</code>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
