import { signal } from "@preact/signals";

const themes = ["auto", "light", "dark"] as const;

export type Theme = (typeof themes)[number];

const storageKey = "plimsoll-theme";

/** The chosen theme; `auto` follows the system. */
export const theme = signal<Theme>(stored());

/** Changes whenever colours may have: canvases have to be painted anew then. */
export const themeChanges = signal(0);

/** Applies the stored choice and follows the system from then on. */
export function startTheme(): void {
  show();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    themeChanges.value += 1;
  });
}

/** Goes on to the next of auto, light and dark. */
export function nextTheme(): void {
  theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? "auto";
  show();
  themeChanges.value += 1;
  try {
    localStorage.setItem(storageKey, theme.value);
  } catch {
    // Storage can be switched off; the choice then lasts as long as the page.
  }
}

function show(): void {
  document.documentElement.dataset["theme"] = theme.value;
}

function stored(): Theme {
  try {
    return themes.find((name) => name === localStorage.getItem(storageKey)) ?? "auto";
  } catch {
    return "auto";
  }
}
