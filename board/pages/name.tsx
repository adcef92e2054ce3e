import { MAX_REVIEWER } from '../../domain/review/reviewImport.js';
import { documentOf } from './layout.js';

/** Who sits at the screen: every answer carries the name. */
export const namePage = ({ name, next, problem }: { name: string; next: string; problem?: string }): string =>
  documentOf({
    title: 'Your name',
    script: null,
    body: (
      <body>
        <main class="page narrow">
          <section>
            <h1>Who reviews?</h1>
            <p class="note">Your answers carry this name. Two people need two names.</p>
            <form method="post" action="/name" class="column">
              <input type="hidden" name="next" value={next} />
              <label for="name">Name</label>
              <input
                {...{ id: 'name', name: 'name', value: name, required: true, maxlength: MAX_REVIEWER }}
                autofocus
                autocomplete="name"
              />
              {problem !== undefined && <p role="alert">{problem}</p>}
              <button type="submit">Start</button>
            </form>
          </section>
        </main>
      </body>
    ),
  });
