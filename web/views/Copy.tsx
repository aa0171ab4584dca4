import { useState } from "preact/hooks";

/** A line to be copied, and the button that does it. */
export function CopyLine({ text, label }: { text: string; label?: string }) {
  const [copied, setCopied] = useState<"copied" | "select it">();
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied("copied");
    } catch {
      // Browsers give the clipboard to https and to loopback only; a click on the line selects it whole.
      setCopied("select it");
    }
  };
  return (
    <span class="copy">
      {label && <span class="dim">{label}</span>}
      <code>{text}</code>
      <button type="button" onClick={() => void copy()} aria-label={`Copy ${text}`}>
        {copied ?? "Copy"}
      </button>
    </span>
  );
}
