import { createHash } from "node:crypto";

const style = `
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif;background:light-dark(#f3f5f7,#0c1219);color:light-dark(#16212c,#e4ebf1)}
body{margin:0;min-height:100vh;display:grid;place-items:center}
main{box-sizing:border-box;width:min(24rem,100vw - 2rem);padding:2rem;border:1px solid light-dark(#d5dce3,#233140);border-radius:12px;background:light-dark(#fff,#121b25)}
h1{margin:0 0 .25rem;font-size:1.25rem}
p{margin:0 0 1.25rem;color:light-dark(#506070,#9badbd)}
label{display:block;margin-bottom:.375rem;font-weight:600}
input,button{box-sizing:border-box;width:100%;font:inherit;padding:.5rem .75rem;border-radius:8px;border:1px solid light-dark(#8494a3,#5c7084);background:transparent;color:inherit}
button{margin-top:1rem;border-color:transparent;background:light-dark(#0b5f86,#7cc7ea);color:light-dark(#fff,#06202d);font-weight:600;cursor:pointer}
:focus-visible{outline:3px solid light-dark(#0b5f86,#7cc7ea);outline-offset:2px}
[role=alert]{color:light-dark(#a3260f,#ff9d85)}
`;

const styleHash = createHash("sha256").update(style).digest("base64");

/** The login view may carry its own style by hash: everything else, assets included, lies behind the token. */
export const loginPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`;

/** The login view as HTML. `refusal` is a sentence of ours, shown above the field. */
export function loginView(refusal?: string): string {
  const alert = refusal === undefined ? "" : `<p role="alert">${escapeHtml(refusal)}</p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Plimsoll: log in</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Plimsoll</h1>
<p>This page is open to the network. Enter the token Plimsoll was started with.</p>
${alert}
<form method="post" action="/plimsoll/login">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button type="submit">Log in</button>
</form>
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
