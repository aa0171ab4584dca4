import { describe, expect, it } from "vitest";
import { classify, errorDialect, readsBody } from "../../src/ollama/endpoints.ts";

describe("classify", () => {
  it.each([
    ["/api/chat", "chat", "ollama"],
    ["/api/generate", "generate", "ollama"],
    ["/api/embed", "embed", "ollama"],
    ["/api/embeddings", "embed", "ollama"],
    ["/v1/chat/completions", "chat", "openai"],
    ["/v1/responses", "chat", "responses"],
    ["/v1/messages", "chat", "anthropic"],
    ["/v1/completions", "generate", "openai"],
    ["/v1/embeddings", "embed", "openai"],
    ["/v1/audio/transcriptions", "transcribe", "openai"],
    ["/api/pull", "pull", "ollama"],
    ["/api/push", "push", "ollama"],
    ["/api/create", "create", "ollama"],
  ])("POST %s is %s in the dialect %s", (path, operation, dialect) => {
    expect(classify("POST", path)).toEqual({ operation, dialect });
  });

  it.each(["GET", "HEAD", "PUT", "OPTIONS", "post"])("%s /api/chat is no chat", (method) => {
    expect(classify(method, "/api/chat")).toEqual({ operation: "other", dialect: "none" });
  });

  it.each(["/api/chat/", "//api/chat", "/API/chat", "/api/blobs/sha256:00", "/v1/messages/count_tokens"])(
    "POST %s is no inference: the router of Ollama does not take it there",
    (path) => {
      expect(classify("POST", path)).toEqual({ operation: "other", dialect: "none" });
    },
  );

  it("compares the decoded path, as Ollama's router does", () => {
    expect(classify("POST", "/%61pi/chat").operation).toBe("chat");
    expect(classify("POST", "/api/%zz").operation).toBe("other");
  });

  it.each([
    ["GET", "/"],
    ["HEAD", "/"],
    ["GET", "/api/version"],
    ["GET", "/api/tags"],
    ["GET", "/api/ps"],
    ["GET", "/v1/models"],
    ["POST", "/api/show"],
  ])("%s %s only asks how things are", (method, path) => {
    expect(classify(method, path)).toEqual({ operation: "other", dialect: "none" });
  });
});

describe("errorDialect", () => {
  it.each([
    ["/v1/messages", "anthropic"],
    ["/v1/messages/count_tokens", "anthropic"],
    ["/v1/messagesX", "openai"],
    ["/v1/chat/completions", "openai"],
    ["/v1/nope", "openai"],
    ["/v1", "openai"],
    ["/v12", "ollama"],
    ["/api/chat", "ollama"],
    ["/nope", "ollama"],
  ])("an error under %s is worded for %s", (path, dialect) => {
    expect(errorDialect(path)).toBe(dialect);
  });
});

describe("readsBody", () => {
  it("leaves blobs, forms and everything unknown alone", () => {
    expect(readsBody(classify("POST", "/api/blobs/sha256:00").operation)).toBe(false);
    expect(readsBody("transcribe")).toBe(false);
    expect(readsBody("chat")).toBe(true);
    expect(readsBody("create")).toBe(true);
  });
});
