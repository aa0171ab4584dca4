import { createHash, createHmac, timingSafeEqual } from "node:crypto";

const cookieName = "plimsoll_session";
const lifetimeSeconds = 30 * 24 * 3600;

/** Compares two secrets without telling by its duration how much of them is alike, or how long they are. */
export function sameSecret(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

/**
 * The `Set-Cookie` value for someone who knew the token. The cookie carries its end and an HMAC over it keyed by the token, never the
 * token: a cookie that leaks ends by itself and opens nothing else, and a changed token ends every session.
 */
export function sessionCookie(token: string, nowMs: number): string {
  const endsAt = Math.floor(nowMs / 1000) + lifetimeSeconds;
  const value = `${endsAt}.${seal(token, endsAt)}`;
  return `${cookieName}=${value}; HttpOnly; SameSite=Strict; Path=/plimsoll; Max-Age=${lifetimeSeconds}`;
}

/** True when a `Cookie` header carries a session of this token that has not ended. */
export function hasSession(cookieHeader: string | undefined, token: string, nowMs: number): boolean {
  for (const part of (cookieHeader ?? "").split(";")) {
    const [name, value = ""] = part.trim().split("=", 2);
    const found = name === cookieName ? /^(\d{1,12})\.([\w-]+)$/.exec(value) : null;
    if (!found) continue;
    const endsAt = Number(found[1]);
    if (endsAt * 1000 > nowMs && sameSecret(found[2] ?? "", seal(token, endsAt))) return true;
  }
  return false;
}

function seal(token: string, endsAt: number): string {
  return createHmac("sha256", token).update(`plimsoll session until ${endsAt}`).digest("base64url");
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
