import { effect } from "@preact/signals";
import { render } from "preact";
import { live, sample, start, verdict } from "./store.ts";
import { startTabs } from "./tabs.ts";
import { startTheme } from "./theme.ts";
import { Page } from "./views/Page.tsx";
import { stateWord, titleWords } from "./words.ts";

startTheme();
startTabs();
start();
effect(() => {
  document.title = titleWords(stateWord(verdict.value, live.value), sample.value);
});
const root = document.getElementById("page");
if (root) render(<Page />, root);
