import type { Hono } from "hono";
import type { Purpose } from "../types.ts";
import { defaultLimit, knownCursor, page, table } from "./pages.ts";
import { oneOf, readQuery, text } from "./parameters.ts";
import type { DashboardParts } from "./parts.ts";
import type { Problem } from "./problem.ts";
import { problemResponse } from "./problem.ts";
import { conversationColumns } from "./tables.ts";

const purposes = [
  "any",
  "chat",
  "single",
  "title",
  "tags",
  "follow-up",
  "query",
  "emoji",
  "autocomplete",
  "task",
] as const satisfies readonly (Purpose | "any")[];
const conversationsQuery = { ...page, model: text(), client: text(), purpose: oneOf(purposes) };

/** Adds reading and deleting conversations. */
export function addConversationsApi(app: Hono, parts: DashboardParts): void {
  app.get("/plimsoll/api/conversations", async (c) => {
    const { format, limit = defaultLimit, ...filters } = readQuery(c.req.url, conversationsQuery);
    const result = knownCursor(await parts.listConversations({ limit, ...filters }), filters.before);
    return table(c, { name: "conversations", columns: conversationColumns, format, ...result });
  });
  app.get("/plimsoll/api/conversations/:id", async (c) => {
    const id = c.req.param("id");
    const conversation = await parts.findConversation(id);
    return conversation ? c.json(conversation) : problemResponse(noConversation(id));
  });
  app.delete("/plimsoll/api/conversations/:id", async (c) => {
    const id = c.req.param("id");
    if ((await parts.findConversation(id)) === undefined) return problemResponse(noConversation(id));
    return c.json(await parts.forget({ conversationId: id }));
  });
}

function noConversation(id: string): Problem {
  return { status: 404, code: "not-found", message: `There is no conversation "${id.slice(0, 80)}".` };
}
