/** The one shape of every error under `/plimsoll`: what, which value, what to do. */
export interface Problem {
  status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 426 | 429 | 500 | 503;
  code: string;
  message: string;
  headers?: Record<string, string>;
}

/** The JSON text `{"error":{"code","message"}}` of a problem. */
export function problemText(problem: Problem): string {
  return JSON.stringify({ error: { code: problem.code, message: problem.message } });
}

/** A problem as an HTTP answer. */
export function problemResponse(problem: Problem): Response {
  return new Response(problemText(problem), {
    status: problem.status,
    headers: { "Content-Type": "application/json", ...problem.headers },
  });
}
