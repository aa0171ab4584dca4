import type { BandKind } from "./bands.ts";

const resolved = new Map<string, string>();
const hatches = new Map<string, CanvasPattern>();

/** A colour of the style sheet as a canvas understands it: the browser resolves the theme. */
export function color(name: string): string {
  const known = resolved.get(name);
  if (known !== undefined) return known;
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  resolved.set(name, value);
  return value;
}

/** To be called when the theme or the screen has changed. */
export function forgetColors(): void {
  resolved.clear();
  hatches.clear();
}

/** CSS pixels of a length given for the usual text size: large screens have larger text, and a canvas must follow by itself. */
export function scaled(pixels: number): number {
  return (pixels * Number.parseFloat(getComputedStyle(document.documentElement).fontSize)) / 14;
}

/** The page's own font at a size in pixels of the canvas. */
export function fontOf(pixels: number): string {
  return `${Math.round(pixels)}px ${getComputedStyle(document.body).fontFamily}`;
}

/** The fill of a band. What is set aside but not in use is hatched: colour alone must not carry the difference. */
export function bandFill(kind: BandKind): string | CanvasPattern {
  const plain = color(`band-${kind}`);
  return kind === "kvFree" || kind === "rest" ? (hatch(plain) ?? plain) : plain;
}

/** Diagonal stripes over a lighter ground, or absent where the browser gives no canvas. */
export function hatch(stripe: string): CanvasPattern | undefined {
  const known = hatches.get(stripe);
  if (known) return known;
  const size = Math.round(6 * devicePixelRatio);
  const tile = document.createElement("canvas");
  tile.width = size;
  tile.height = size;
  const context = tile.getContext("2d");
  if (!context) return undefined;
  context.fillStyle = color("paper");
  context.fillRect(0, 0, size, size);
  context.globalAlpha = 0.35;
  context.fillStyle = stripe;
  context.fillRect(0, 0, size, size);
  context.globalAlpha = 1;
  context.strokeStyle = stripe;
  context.lineWidth = size / 4;
  for (const shift of [-size, 0, size]) {
    context.moveTo(shift, size);
    context.lineTo(shift + size, 0);
  }
  context.stroke();
  const pattern = context.createPattern(tile, "repeat") ?? undefined;
  if (pattern) hatches.set(stripe, pattern);
  return pattern;
}
