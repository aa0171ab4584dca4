/** A tokenizer that is simple, deterministic and about right: some four bytes a token. */

/** Up to five printable characters with the blank before them; any other character stands alone. */
const PIECE = / ?[!-~]{1,5}|[^]/gu;

/** Longer texts are counted by their length: cutting tens of megabytes would stall the whole server. */
const LONG_TEXT_CHARACTERS = 1_000_000;
const CHARACTERS_PER_TOKEN = 4;

/** Numbers below are the template's own: message borders, roles, pictures. */
const FIRST_TEXT_ID = 1000;
const TEXT_IDS = 30_000;

/** The pieces a text is cut into, one a token. Joined they are the text again. */
export function textPieces(text: string): string[] {
  return text.match(PIECE) ?? [];
}

export function tokenId(piece: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < piece.length; index += 1) {
    hash = Math.imul(hash ^ piece.charCodeAt(index), 0x01000193);
  }
  return FIRST_TEXT_ID + ((hash >>> 0) % TEXT_IDS);
}

export function tokenize(text: string): number[] {
  if (text.length <= LONG_TEXT_CHARACTERS) return textPieces(text).map(tokenId);
  const ids: number[] = [];
  for (let index = 0; index < text.length; index += CHARACTERS_PER_TOKEN) {
    ids.push(FIRST_TEXT_ID + ((text.charCodeAt(index) * 31 + text.charCodeAt(index + 1)) % TEXT_IDS));
  }
  return ids;
}
