import { documentOf } from './layout.js';

/** A page that says what happened, and what to do. */
export const messagePage = (message: string, hint: string): string =>
  documentOf({
    title: 'Not possible',
    script: null,
    body: (
      <body>
        <main class="page">
          <section>
            <h1>{message}</h1>
            {hint !== '' && <p>{hint}</p>}
            <p>
              <a href="/">All pools</a>
            </p>
          </section>
        </main>
      </body>
    ),
  });
