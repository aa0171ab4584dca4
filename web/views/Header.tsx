import { formatTime } from "../format.ts";
import { connection, health, simulated, version } from "../store.ts";
import { tab, tabs } from "../tabs.ts";
import { nextTheme, theme } from "../theme.ts";

export function Header() {
  const upstream = health.value?.upstream;
  return (
    <header>
      <h1>
        <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
          <path d="M16 6a10 10 0 1 1 0 20a10 10 0 1 1 0-20M2 16h28" />
        </svg>
        Plimsoll
      </h1>
      <nav aria-label="Views">
        {tabs.map(({ hash, name }) => (
          <a key={name} href={hash || "#"} aria-current={tab.value === hash ? "page" : undefined}>
            {name}
          </a>
        ))}
      </nav>
      {simulated.value && (
        <strong class="simulated" title="Neither the models nor the machine on this page are real">
          simulated
        </strong>
      )}
      <p class="upstream">
        {upstream?.reachable && upstream.url && (
          <>
            Ollama{upstream.version ? ` ${upstream.version}` : ""} <span>at {upstream.url}</span>
          </>
        )}
      </p>
      <ConnectionState />
      <button type="button" class="theme" onClick={nextTheme}>
        Theme: {theme}
      </button>
    </header>
  );
}

function ConnectionState() {
  const { lostAt } = connection.value;
  if (version.value === undefined && lostAt === undefined) return <p class="connection">connecting</p>;
  return (
    <p class={lostAt === undefined ? "connection" : "connection lost"} role="status">
      {lostAt === undefined ? "live" : `connection lost at ${formatTime(lostAt)}, trying again`}
    </p>
  );
}
