import { Header } from "./Header.tsx";
import { History } from "./History.tsx";
import { Legend } from "./Mark.tsx";
import { Memory } from "./Memory.tsx";
import { Models } from "./Models.tsx";
import { Now } from "./Now.tsx";
import { Verdict } from "./Verdict.tsx";

/** The whole page: is memory safe, where did it go, what runs now, what ran before. */
export function Page() {
  return (
    <>
      <Header />
      <main>
        <Verdict />
        <div class="pair">
          <Memory />
          <div class="side">
            <Now />
            <Models />
          </div>
        </div>
        <History />
      </main>
      <footer>
        <Legend />
      </footer>
    </>
  );
}
