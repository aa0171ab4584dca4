/** Where `install.ts` puts what the clients need. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const FOLDER = fileURLToPath(new URL("..", import.meta.url));
export const REQUIREMENTS = path.join(FOLDER, "python", "requirements.txt");

/** One folder for each list of packages, so that a changed list is installed anew. */
export function pythonFolder(): string {
  const digest = createHash("sha256").update(readFileSync(REQUIREMENTS)).digest("hex").slice(0, 12);
  return path.join(os.tmpdir(), `plimsoll-clients-${digest}`);
}

export function pythonProgram(): string {
  return path.join(
    pythonFolder(),
    ...(process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"]),
  );
}

export function pythonIsInstalled(): boolean {
  return existsSync(path.join(pythonFolder(), "installed"));
}

export function npmIsInstalled(): boolean {
  return existsSync(path.join(FOLDER, "node_modules", "ai"));
}
