import type { MiddlewareHandler } from 'hono';

const NOTHING_ELSE = ["form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"];
const PAGES = [
  "default-src 'none'",
  "script-src 'self'",
  "connect-src 'self'",
  "img-src 'self' blob:",
  ...NOTHING_ELSE,
];

/**
 * What a page may load. No page has a script of its own text. Charts carry styles in their elements; a report is one
 * file with its style and its pictures, and may do nothing else but
 * lead to pages of the board.
 */
function policyOf(path: string): string {
  if (path.startsWith('/reports/'))
    return "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox allow-same-origin";
  const styles = path.startsWith('/loops/') ? "style-src 'self' 'unsafe-inline'" : "style-src 'self'";
  return [...PAGES, styles].join('; ');
}

export const contentPolicy: MiddlewareHandler = async (context, next) => {
  await next();
  context.header('Content-Security-Policy', policyOf(context.req.path));
};
