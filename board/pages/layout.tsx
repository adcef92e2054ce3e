import type { Child } from 'hono/jsx';

interface Document {
  title: string;
  /** The file of its script; null for a page without one. */
  script: string | null;
  /** A page of the board that opens by itself. */
  goTo?: string;
  body: Child;
}

/** A page of the board: the style sheet, a script if the page has one, and no other asset. */
export function documentOf({ title, script, goTo, body }: Document): string {
  const page = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        {goTo !== undefined && <meta http-equiv="refresh" content={`0;url=${goTo}`} />}
        <title>{`${title} · partloop`}</title>
        <link rel="stylesheet" href="/assets/board.css" />
        {script !== null && <script type="module" src={`/assets/${script}`} />}
      </head>
      {body}
    </html>
  );
  return `<!doctype html>\n${page}`;
}

/** What a page of pools says as long as there is none. */
export const NoPools = () => (
  <section>
    <p>
      There is no pool yet. <code>npx partloop import</code> makes one.
    </p>
  </section>
);
