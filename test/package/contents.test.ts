/** What `npm pack` would publish: everything the program needs, and nothing else. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

function packed(): string[] {
  const text = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  // npm 12 answers an object by name, earlier ones a list.
  const answer = JSON.parse(text) as
    | { files: { path: string }[] }[]
    | Record<string, { files: { path: string }[] }>;
  return Object.values(answer).flatMap(({ files }) => files.map((file) => file.path));
}

const files = packed();

it("holds the program, its threads, the page, the migrations and what people read", () => {
  const threads = sourceFiles("src").filter((file) => /([wW]orker|store\/worker)\.ts$/.test(file));
  expect(threads.length).toBeGreaterThan(2);
  expect(files).toEqual(
    expect.arrayContaining([
      "package.json",
      "README.md",
      "LICENSE",
      "config.example.json",
      "config.schema.json",
      "dist/server/main.js",
      "dist/web/index.html",
      ...readdirSync(path.join(ROOT, "migrations")).map((name) => `migrations/${name}`),
      ...threads.map((file) => file.replace(/^src/, "dist/server").replace(/\.ts$/, ".js")),
    ]),
  );
  expect(files.filter((file) => file.startsWith("dist/web/assets/"))).not.toEqual([]);
});

it("holds nothing else: no sources, tests, maps, databases or settings of whoever packed it", () => {
  const known =
    /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|config\.(example|schema)\.json|migrations\/\d{4}_[a-z_]+\.sql|dist\/server\/[\w/.-]+\.js|dist\/web\/(index\.html|assets\/[\w.-]+\.(js|css|svg|png|woff2)))$/;
  expect(files.filter((file) => !known.test(file))).toEqual([]);
});

it("has a bin that a shell can start", () => {
  const { bin } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as {
    bin: { plimsoll: string };
  };
  expect(existsSync(path.join(ROOT, bin.plimsoll))).toBe(true);
  expect(readFileSync(path.join(ROOT, bin.plimsoll), "utf8").split("\n")[0]).toBe("#!/usr/bin/env node");
});

function sourceFiles(folder: string): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => path.posix.join(folder, name.split(path.sep).join("/")));
}
