import { tab } from "../tabs.ts";
import { Accuracy } from "./Accuracy.tsx";
import { Alerts } from "./Alerts.tsx";
import { Chats } from "./Chats.tsx";
import { Header } from "./Header.tsx";
import { Ledger } from "./Ledger.tsx";
import { Legend } from "./Mark.tsx";
import { Memory } from "./Memory.tsx";
import { Models } from "./Models.tsx";
import { Now } from "./Now.tsx";
import { Verdict } from "./Verdict.tsx";
import { WhatIf } from "./WhatIf.tsx";

/** The whole page: is memory safe, where did it go, what runs now, which chats grow, what was predicted and what came. */
export function Page() {
  return (
    <>
      <Header />
      <main>
        <Verdict />
        {tab.value === "" && <Overview />}
        {tab.value === "#what-if" && <WhatIf />}
        {tab.value === "#alerts" && <Alerts />}
      </main>
      <footer>
        <Legend />
      </footer>
    </>
  );
}

function Overview() {
  return (
    <>
      <div class="pair">
        <Memory />
        <div class="side">
          <Now />
          <Chats />
        </div>
      </div>
      <Ledger />
      <Accuracy />
      <Models />
    </>
  );
}
