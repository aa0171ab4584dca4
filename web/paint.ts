import type { Band } from "./bands.ts";

/** A colour of the style sheet as a canvas understands it: the browser resolves the theme. */
export function color(name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}

/** The page's own font at a size in CSS pixels. */
export function fontOf(size: number): string {
  return `${size}px ${getComputedStyle(document.body).fontFamily}`;
}

/** The fill of a band. File-backed bytes are hatched: colour alone must not carry the difference. */
export function bandFill(band: Band): string | CanvasPattern {
  if (band.kind === "other") return color("other");
  const plain = color(`runner-${band.hue}`);
  return band.kind === "file" ? (hatch(plain) ?? plain) : plain;
}

/** Diagonal stripes over a lighter ground, or absent where the browser gives no canvas. */
export function hatch(stripe: string): CanvasPattern | undefined {
  const size = Math.round(6 * devicePixelRatio);
  const tile = document.createElement("canvas");
  tile.width = size;
  tile.height = size;
  const context = tile.getContext("2d");
  if (!context) return undefined;
  context.fillStyle = color("panel");
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
  return context.createPattern(tile, "repeat") ?? undefined;
}
