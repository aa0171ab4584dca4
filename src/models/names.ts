/** Model names, as Ollama compares them: without case, and `gemma3` is `gemma3:latest`. */
export function sameModel(left: string, right: string): boolean {
  return canonicalName(left) === canonicalName(right);
}

export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.lastIndexOf(":") > lower.lastIndexOf("/") ? lower : `${lower}:latest`;
}
