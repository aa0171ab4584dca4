/** Cases after RFC 9112 §2.2, 3.2, 5.1, 5.2, 6.1, 6.3, 7.1 and 11.2, and the published classes CL.TE, TE.CL, TE.TE, CL.0. */
export interface SmuggleCase {
  name: string;
  /** Latin-1. */
  bytes: string;
  rule: "refused" | "one";
  /** How many requests there really are, 1 unless told. */
  requests?: number;
  /** Forwarded by us although nginx and haproxy refuse it, for a reason given here. */
  alone?: string;
}

const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";

function post(headers: string, body = ""): string {
  return `POST /api/x HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n${body}`;
}

function get(headers: string): string {
  return `GET /api/x HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
}

export const CORPUS: SmuggleCase[] = [
  // Two lengths, or a length that is none.
  {
    name: "CL.TE",
    rule: "refused",
    bytes: post(`Content-Length: 6\r\nTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${SMUGGLED}`),
  },
  {
    name: "TE.CL",
    rule: "refused",
    bytes: post(`Transfer-Encoding: chunked\r\nContent-Length: 4\r\n`, `5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`),
  },
  {
    name: "two different Content-Length",
    rule: "refused",
    bytes: post(`Content-Length: 0\r\nContent-Length: ${SMUGGLED.length}\r\n`, SMUGGLED),
  },
  {
    name: "two equal Content-Length",
    rule: "refused",
    bytes: post("Content-Length: 2\r\nContent-Length: 2\r\n", "ab"),
  },
  { name: "Content-Length with a comma", rule: "refused", bytes: post("Content-Length: 2, 2\r\n", "ab") },
  { name: "Content-Length with a plus", rule: "refused", bytes: post("Content-Length: +2\r\n", "ab") },
  { name: "Content-Length with a minus", rule: "refused", bytes: post("Content-Length: -1\r\n", "ab") },
  { name: "Content-Length in hex", rule: "refused", bytes: post("Content-Length: 0x2\r\n", "ab") },
  {
    name: "Content-Length with a blank inside",
    rule: "refused",
    bytes: post("Content-Length: 1 2\r\n", "ab"),
  },
  {
    name: "Content-Length beyond 64 bits",
    rule: "refused",
    bytes: post("Content-Length: 18446744073709551618\r\n", "ab"),
  },
  { name: "an empty Content-Length", rule: "refused", bytes: post("Content-Length: \r\n", "ab") },
  {
    name: "a GET with a body",
    rule: "one",
    bytes: `GET /api/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab`,
  },
  // Codings that only look like chunked.
  {
    name: "TE.TE: an unknown coding",
    rule: "refused",
    bytes: post("Transfer-Encoding: xchunked\r\n", `0\r\n\r\n${SMUGGLED}`),
  },
  {
    name: "TE.TE: chunked, then identity",
    rule: "refused",
    bytes: post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", `0\r\n\r\n`),
  },
  {
    name: "TE.TE: chunked not last",
    rule: "refused",
    bytes: post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"),
  },
  {
    name: "TE.TE: a vertical tab before chunked",
    rule: "refused",
    bytes: post("Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n"),
  },
  { name: "TE.TE: quoted", rule: "refused", bytes: post('Transfer-Encoding: "chunked"\r\n', "0\r\n\r\n") },
  {
    name: "Transfer-Encoding with a space before the colon",
    rule: "refused",
    bytes: post(`Transfer-Encoding : chunked\r\nContent-Length: 5\r\n`, `0\r\n\r\n`),
  },
  {
    name: "Content-Length with a space before the colon",
    rule: "refused",
    bytes: post(`Content-Length : 2\r\n`, "ab"),
  },
  {
    name: "Transfer-Encoding in HTTP/1.0",
    rule: "refused",
    bytes:
      "POST /api/x HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
  },
  // Chunks.
  {
    name: "a chunk size with a sign",
    rule: "refused",
    bytes: post("Transfer-Encoding: chunked\r\n", "+2\r\nab\r\n0\r\n\r\n"),
  },
  {
    name: "a chunk size with 0x",
    rule: "refused",
    bytes: post("Transfer-Encoding: chunked\r\n", "0x2\r\nab\r\n0\r\n\r\n"),
  },
  {
    name: "a chunk size beyond 64 bits",
    rule: "refused",
    bytes: post("Transfer-Encoding: chunked\r\n", "10000000000000002\r\nab\r\n0\r\n\r\n"),
  },
  {
    name: "a chunk longer than its size",
    rule: "refused",
    bytes: post("Transfer-Encoding: chunked\r\n", "2\r\nabc\r\n0\r\n\r\n"),
  },
  {
    name: "a bare LF after a chunk size",
    rule: "refused",
    bytes: post("Transfer-Encoding: chunked\r\n", "2\nab\r\n0\r\n\r\n"),
  },
  {
    name: "a NUL in a chunk size",
    rule: "refused",
    bytes: post("Transfer-Encoding: chunked\r\n", "2\0\r\nab\r\n0\r\n\r\n"),
  },
  {
    name: "a chunk extension",
    rule: "one",
    bytes: post("Transfer-Encoding: chunked\r\n", "2;x=1\r\nab\r\n0\r\n\r\n"),
  },
  {
    name: "a chunk extension with a bare LF",
    rule: "refused",
    bytes: post("Transfer-Encoding: chunked\r\n", "2;\nxx\r\nab\r\n0\r\n\r\n"),
  },
  {
    name: "trailers that would set the framing",
    rule: "one",
    bytes: post("Transfer-Encoding: chunked\r\n", "2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n"),
  },
  // Lines.
  { name: "obs-fold", rule: "refused", bytes: get("X-A: 1\r\n folded\r\n") },
  {
    name: "obs-fold of Transfer-Encoding",
    rule: "refused",
    bytes: post("Transfer-Encoding:\r\n chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"),
  },
  {
    name: "a folded first header",
    rule: "refused",
    bytes: `GET /api/x HTTP/1.1\r\n Host: localhost\r\n\r\n`,
  },
  {
    name: "bare LF between headers",
    rule: "refused",
    bytes: "GET /api/x HTTP/1.1\r\nHost: localhost\nX-A: 1\r\n\r\n",
  },
  { name: "bare LF everywhere", rule: "refused", bytes: "GET /api/x HTTP/1.1\nHost: localhost\n\n" },
  { name: "bare CR in a value", rule: "refused", bytes: get("X-A: 1\rX-B: 2\r\n") },
  { name: "a NUL in a value", rule: "refused", bytes: get("X-A: a\0b\r\n") },
  { name: "a NUL in a name", rule: "refused", bytes: get("X-\0A: 1\r\n") },
  { name: "an empty name", rule: "refused", bytes: get(": 1\r\n") },
  { name: "no colon", rule: "refused", bytes: get("X-A\r\n") },
  { name: "a blank in a name", rule: "refused", bytes: get("X A: 1\r\n") },
  { name: "a parenthesis in a name", rule: "refused", bytes: get("X(A): 1\r\n") },
  // Hosts and request lines.
  {
    name: "two Hosts",
    rule: "refused",
    bytes: "GET /api/x HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
  },
  { name: "no Host", rule: "refused", bytes: "GET /api/x HTTP/1.1\r\n\r\n" },
  { name: "a foreign Host", rule: "refused", bytes: "GET /api/x HTTP/1.1\r\nHost: evil.example\r\n\r\n" },
  {
    name: "a foreign absolute target",
    rule: "refused",
    bytes: "GET http://evil.example/api/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
  },
  {
    name: "a blank in the target",
    rule: "refused",
    bytes: "GET /api/x y HTTP/1.1\r\nHost: localhost\r\n\r\n",
  },
  { name: "a NUL in the target", rule: "refused", bytes: "GET /api/\0x HTTP/1.1\r\nHost: localhost\r\n\r\n" },
  { name: "a lower-case version", rule: "refused", bytes: "GET /api/x http/1.1\r\nHost: localhost\r\n\r\n" },
  { name: "HTTP/1.2", rule: "refused", bytes: "GET /api/x HTTP/1.2\r\nHost: localhost\r\n\r\n" },
  { name: "HTTP/2.0", rule: "refused", bytes: "GET /api/x HTTP/2.0\r\nHost: localhost\r\n\r\n" },
  { name: "the preface of HTTP/2", rule: "refused", bytes: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
  { name: "HTTP/0.9", rule: "refused", bytes: "GET /api/x\r\n" },
  { name: "CONNECT", rule: "refused", bytes: "CONNECT localhost:11434 HTTP/1.1\r\nHost: localhost\r\n\r\n" },
  // Fields that a sender may use to have others removed.
  {
    name: "Connection names Content-Length",
    rule: "one",
    bytes: post("Connection: content-length\r\nContent-Length: 2\r\n", "ab"),
  },
  { name: "Connection names Host", rule: "one", bytes: get("Connection: host\r\n") },
  { name: "two real requests, one behind the other", rule: "one", requests: 2, bytes: get("") + get("") },
  {
    name: "a request behind a body of the right length",
    rule: "one",
    requests: 2,
    bytes: post("Content-Length: 2\r\n", "ab") + get(""),
  },
];
