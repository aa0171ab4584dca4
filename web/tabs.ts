import { signal } from "@preact/signals";

/** The views of the page. The address says which, so that one can be kept as a bookmark and the browser's own "back" works. */
export const tabs = [
  { hash: "", name: "Overview" },
  { hash: "#what-if", name: "What if" },
  { hash: "#alerts", name: "Alerts and advice" },
] as const;

export type Tab = (typeof tabs)[number]["hash"];

export const tab = signal<Tab>(fromAddress());

export function startTabs(): void {
  addEventListener("hashchange", () => {
    tab.value = fromAddress();
  });
}

function fromAddress(): Tab {
  return tabs.find(({ hash }) => hash !== "" && hash === location.hash)?.hash ?? "";
}
