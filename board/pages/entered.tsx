import { documentOf } from './layout.js';

/** After a link with a key: a redirect from another page would not carry the new cookie, so the page goes on itself. */
export const enteredPage = (next: string): string =>
  documentOf({
    title: 'Welcome',
    script: null,
    goTo: next,
    body: (
      <body>
        <main class="page narrow">
          <section>
            <p>
              <a href={next}>Go on to the board</a>
            </p>
          </section>
        </main>
      </body>
    ),
  });
