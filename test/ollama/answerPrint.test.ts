import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAnswerPrint } from "../../src/ollama/answerPrint.ts";

function printOf(...pieces: string[]): string {
  const print = createAnswerPrint();
  for (const piece of pieces) {
    print.add(piece);
  }
  return print.text();
}

describe("createAnswerPrint", () => {
  it("is the same however the text is wrapped and cut", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 2000 }), fc.array(fc.nat(2000), { maxLength: 6 }), (text, cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        const pieces = at.slice(1).map((end, index) => text.slice(at[index], end));
        expect(printOf(...pieces)).toBe(printOf(`\n ${text.replaceAll(" ", "  ")}  \n`));
      }),
    );
  });

  it("leaves out thoughts at the beginning, wherever they are cut", () => {
    const text = "<think>is it 4? </thin g> yes</think>\n\nIt is 4.";
    for (let cut = 0; cut <= text.length; cut += 1) {
      expect(printOf(text.slice(0, cut), text.slice(cut))).toBe("Itis4.");
    }
    expect(printOf("it is <think>x</think>")).toBe("itis<think>x</think>");
    expect(printOf("<think>never ends")).toBe("");
  });

  it("is full after the beginning", () => {
    const print = createAnswerPrint();
    print.add(" ".repeat(9000));
    expect(print.full()).toBe(false);
    print.add("x".repeat(9000));
    expect([print.full(), print.text().length]).toEqual([true, 256]);
  });
});
