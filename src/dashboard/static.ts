import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { gzipSync } from "node:zlib";

/** The built page, held in memory. */
export interface PageFiles {
  /** True when an `index.html` was found. */
  built: boolean;
  /** A file by its path inside the page's folder, or absent. */
  answer(path: string, request: { acceptEncoding?: string; ifNoneMatch?: string }): Response | undefined;
}

interface PageFile {
  contentType: string;
  body: Buffer<ArrayBuffer>;
  gzipped?: Buffer<ArrayBuffer>;
  etag: string;
  cacheControl: string;
}

const contentTypes: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".json": "application/json",
};

/**
 * Reads the built page once, so that serving it never touches a disk that may be busy swapping. A folder that is not there gives an empty
 * page, not an error: chatting must not depend on it.
 */
export function loadPage(directory: string): PageFiles {
  const files = new Map<string, PageFile>();
  for (const path of filesIn(directory)) {
    const contentType = contentTypes[extname(path)];
    if (contentType)
      files.set(path, readFile(join(directory, path), contentType, path.startsWith("assets/")));
  }
  return {
    built: files.has("index.html"),
    answer(path, request) {
      const file = files.get(path);
      return file && fileResponse(file, request);
    },
  };
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join("/"));
  } catch {
    return [];
  }
}

function readFile(path: string, contentType: string, hashedName: boolean): PageFile {
  const body = Buffer.from(readFileSync(path));
  const gzipped = gzipSync(body, { level: 9 });
  return {
    contentType,
    body,
    gzipped: gzipped.length < body.length ? gzipped : undefined,
    etag: createHash("sha256").update(body).digest("base64url").slice(0, 22),
    cacheControl: hashedName ? "public, max-age=31536000, immutable" : "no-cache",
  };
}

function fileResponse(file: PageFile, request: { acceptEncoding?: string; ifNoneMatch?: string }): Response {
  const gzipped = acceptsGzip(request.acceptEncoding) ? file.gzipped : undefined;
  // The two variants are different bytes, so a strong ETag must tell them apart.
  const etag = gzipped ? `"${file.etag}-gz"` : `"${file.etag}"`;
  const headers = new Headers({ "Cache-Control": file.cacheControl, ETag: etag, Vary: "Accept-Encoding" });
  if (request.ifNoneMatch?.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag)) {
    return new Response(null, { status: 304, headers });
  }
  headers.set("Content-Type", file.contentType);
  if (gzipped) headers.set("Content-Encoding", "gzip");
  const body = gzipped ?? file.body;
  headers.set("Content-Length", String(body.length));
  return new Response(body, { headers });
}

function acceptsGzip(header = ""): boolean {
  return header.split(",").some((part) => {
    const [coding, quality] = part.trim().split(";");
    return /^(gzip|\*)$/i.test(coding?.trim() ?? "") && !/^\s*q=0(\.0*)?\s*$/.test(quality ?? "");
  });
}
