/** `npm run figures`: how large files and functions are, how they are tested and commented; the table in CONTRIBUTING.md. */
import { globSync, readFileSync } from "node:fs";
import { parseSync } from "vite";
import { quantile } from "./report/stats.ts";

interface FileFigures {
  lines: number;
  commentLines: number;
  exports: number;
  /** Of functions that take more than one line. */
  functionLines: number[];
  parameters: number[];
  moduleMocks: number;
}

interface Node {
  type: string;
  start: number;
  end: number;
}

const FUNCTIONS = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);

function figuresOf(path: string): FileFigures {
  const text = readFileSync(path, "utf8");
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  const linesOf = ({ start, end }: { start: number; end: number }): number =>
    1 + lineStarts.filter((at) => at > start && at < end).length;
  const { program, comments } = parseSync(path, text);
  const figures: FileFigures = {
    lines: lineStarts.length - 1,
    commentLines: comments.reduce((sum, comment) => sum + linesOf(comment), 0),
    exports: 0,
    functionLines: [],
    parameters: [],
    moduleMocks: [...text.matchAll(/\bvi\.(mock|doMock)\(/g)].length,
  };
  const visit = (node: Node): void => {
    if (FUNCTIONS.has(node.type)) {
      const lines = linesOf(node);
      if (lines > 1) figures.functionLines.push(lines);
      figures.parameters.push((node as Node & { params: unknown[] }).params.length);
    }
    for (const child of Object.values(node).flat()) {
      if (typeof child === "object" && child !== null && "type" in child) visit(child as Node);
    }
  };
  visit(program);
  for (const statement of program.body) {
    if (statement.type === "ExportDefaultDeclaration") figures.exports += 1;
    if (statement.type !== "ExportNamedDeclaration") continue;
    const { declaration, specifiers } = statement;
    figures.exports +=
      declaration?.type === "VariableDeclaration"
        ? declaration.declarations.length
        : declaration === null
          ? specifiers.length
          : 1;
  }
  return figures;
}

const spread = (values: number[], shares: readonly number[]): string =>
  shares.map((share) => Math.round(quantile(values, share) ?? 0)).join(" · ");
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function row(name: string, patterns: string[], tested?: number): string {
  const all = globSync(patterns).map((path) => figuresOf(path));
  const lines = all.map((file) => file.lines);
  const cells = [
    name,
    `${all.length} / ${sum(lines).toLocaleString("en")}`,
    spread(lines, [0.5, 0.9, 1]),
    spread(
      all.flatMap((file) => file.functionLines),
      [0.5, 0.9, 1],
    ),
    spread(
      all.flatMap((file) => file.parameters),
      [0.9, 1],
    ),
    spread(
      all.map((file) => file.exports),
      [0.5, 0.9, 1],
    ),
    `${Math.round((100 * sum(all.map((file) => file.commentLines))) / sum(lines))} %`,
    tested === undefined ? "–" : (sum(lines) / tested).toFixed(1),
    String(sum(all.map((file) => file.moduleMocks))),
  ];
  return `| ${cells.join(" | ")} |`;
}

const SOURCE = ["src/**/*.ts", "web/**/*.{ts,tsx}"];
const sourceLines = sum(globSync(SOURCE).map((path) => figuresOf(path).lines));
const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as { dependencies: object };

console.log(`| | files / lines | file lines: median · p90 · max | function lines | parameters: p90 · max | exports | comments | test : code | module mocks |
|---|---|---|---|---|---|---|---|---|
${row("`src/`", ["src/**/*.ts"])}
${row("`web/`", ["web/**/*.{ts,tsx}"])}
${row("`test/`", ["test/**/*.{ts,tsx}"], sourceLines)}

Run-time dependencies: ${Object.keys(dependencies).length}. Import cycles: lint refuses them.`);
