/** ARCHITECTURE.md names every file of `src/` and `web/` once, under its folder, and none that is not there. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const FOLDER = /^\*\*([\w/]+)\/\*\*|^### (src|web)\/$/;

/** The names in the first column of each table, with the folder they are in. `views/`: in a cell says so of what follows. */
function namedFiles(map: string): string[] {
  let folder: string | undefined;
  const named: string[] = [];
  for (const line of map.split("\n")) {
    const [, inSrc, top] = FOLDER.exec(line) ?? [];
    if (inSrc !== undefined) folder = `src/${inSrc}/`;
    else if (top !== undefined) folder = `${top}/`;
    else if (line.startsWith("#")) folder = undefined;
    if (folder === undefined || !line.startsWith("| `")) continue;
    let below = "";
    for (const [, name = "", colon] of (line.split(" | ")[0] ?? "").matchAll(/`([^`]+)`(:)?/g)) {
      if (colon !== undefined) below = name;
      else if (!name.endsWith("/")) named.push(folder + below + name);
    }
  }
  return named;
}

/** `shape…` stands for every file that begins so and is not named itself. */
function expand(named: readonly string[], files: readonly string[]): string[] {
  const whole = named.filter((name) => !name.endsWith("…"));
  return named.flatMap((name) =>
    name.endsWith("…")
      ? files.filter((file) => file.startsWith(name.slice(0, -1)) && !whole.includes(file))
      : [name],
  );
}

const map = readFileSync("ARCHITECTURE.md", "utf8");
const files = globSync(["src/**/*.ts", "web/**/*.{ts,tsx}"]).map((file) => file.replaceAll("\\", "/"));

it("names every file once, where it is", () => {
  const named = expand(namedFiles(map), files);
  expect(named.toSorted()).toEqual(files.toSorted());
});

it("sends whoever has a change to make to files and folders that are there", () => {
  const table = map.slice(map.indexOf("## Ten changes"), map.indexOf("## Promises"));
  const places = [...table.matchAll(/`([\w./-]+(?:\.\w+|\/))`/g)].map(([, place = ""]) => place);
  expect(places.length).toBeGreaterThan(20);
  expect(places.filter((place) => !existsSync(`src/${place}`) && !existsSync(place))).toEqual([]);
});
