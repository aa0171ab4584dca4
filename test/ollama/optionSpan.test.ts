import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findOptionNumber, replaceSpan } from "../../src/ollama/optionSpan.ts";

function edited(text: string, value = "4096"): string | undefined {
  const bytes = Buffer.from(text);
  const span = findOptionNumber(bytes, "num_ctx");
  return span === undefined ? undefined : Buffer.concat(replaceSpan(bytes, span, value)).toString();
}

describe("the number that Go's decoder would take", () => {
  it.each([
    ["the plain one", '{"options":{"num_ctx":8192}}', '{"options":{"num_ctx":4096}}'],
    [
      "with space around",
      ' {\n"options" :\t{ "num_ctx" : 8192 } }\r\n',
      ' {\n"options" :\t{ "num_ctx" : 4096 } }\r\n',
    ],
    ["the field in any case", '{"OpTionS":{"num_ctx":8192}}', '{"OpTionS":{"num_ctx":4096}}'],
    ["the field with a long s", '{"optionſ":{"num_ctx":8192}}', '{"optionſ":{"num_ctx":4096}}'],
    ["the last of two", '{"options":{"num_ctx":1,"num_ctx":2}}', '{"options":{"num_ctx":1,"num_ctx":4096}}'],
    [
      "in the last of two objects",
      '{"options":{"num_ctx":1},"Options":{"num_ctx":2}}',
      '{"options":{"num_ctx":1},"Options":{"num_ctx":4096}}',
    ],
    [
      "in an earlier object, which Go keeps",
      '{"options":{"num_ctx":1},"options":{"seed":2}}',
      '{"options":{"num_ctx":4096},"options":{"seed":2}}',
    ],
    ["escaped", '{"\\u006fptions":{"num\\u005fctx":1}}', '{"\\u006fptions":{"num\\u005fctx":4096}}'],
    ["as a fraction with exponent", '{"options":{"num_ctx":8.192e+3}}', '{"options":{"num_ctx":4096}}'],
    [
      "before anything that follows",
      '{"options":{"num_ctx":1}} {"options":{"num_ctx":2}}',
      '{"options":{"num_ctx":4096}} {"options":{"num_ctx":2}}',
    ],
    [
      "and none in a string or deeper down",
      '{"prompt":"{\\"options\\":{\\"num_ctx\\":1}}","x":{"options":{"num_ctx":3}},"options":{"a":[{"num_ctx":5}],"num_ctx":7}}',
      '{"prompt":"{\\"options\\":{\\"num_ctx\\":1}}","x":{"options":{"num_ctx":3}},"options":{"a":[{"num_ctx":5}],"num_ctx":4096}}',
    ],
  ])("%s", (_name, text, expected) => {
    expect(edited(text)).toBe(expected);
  });

  it.each([
    ["the option's name in another case: Go's maps are exact", '{"options":{"Num_Ctx":8192}}'],
    ["a text", '{"options":{"num_ctx":"8192"}}'],
    ["null after it", '{"options":{"num_ctx":1},"options":null}'],
    ["a later text", '{"options":{"num_ctx":1,"num_ctx":"2"}}'],
    ["no options", '{"num_ctx":8192}'],
    ["a list", '[{"options":{"num_ctx":1}}]'],
    ["nothing", ""],
    ["a cut body", '{"options":{"num_ctx"'],
    ["a cut string", '{"options'],
  ])("none for %s", (_name, text) => {
    expect(edited(text)).toBeUndefined();
  });
});

it("changes the number and no other byte of any body", () => {
  const key = fc
    .string({ unit: "binary", maxLength: 8 })
    .filter((name) => name.toLowerCase().replaceAll("ſ", "s") !== "options");
  const fields = fc.dictionary(key, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 });
  const options = fc.dictionary(
    fc.string({ unit: "binary", maxLength: 8 }).filter((name) => name !== "num_ctx"),
    fc.jsonValue({ maxDepth: 2 }),
    { maxKeys: 4 },
  );
  const number = fc.integer({ min: 1, max: 10_000_000 });
  fc.assert(
    fc.property(fields, fields, options, number, fc.nat(3), (before, after, others, context, space) => {
      const body = { ...before, options: { ...others, num_ctx: context }, ...after };
      const text = JSON.stringify(body, undefined, space);
      const expected = { ...body, options: { ...body.options, num_ctx: 4096 } };
      expect(edited(text)).toBe(JSON.stringify(expected, undefined, space));
    }),
  );
});

it("never throws and stays within any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const span = findOptionNumber(bytes, "num_ctx");
      expect(span === undefined || span.end <= bytes.length).toBe(true);
    }),
  );
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...'{}[]",:\\ 1a', "options", "num_ctx"), { maxLength: 40 }),
      (parts) => {
        edited(parts.join(""));
      },
    ),
  );
});
