import { randomUUID } from 'node:crypto';
import { PartloopError } from '../domain/base/errors.js';
import { toLookAt, whyNotTogether } from '../domain/board/selection.js';
import type { ListedFinding } from './findingTable.js';

const MAX_OPEN = 100;

export interface Selection {
  id: string;
  session: string;
  findings: readonly ListedFinding[];
  /** Finding ids that have to be seen large first. */
  lookAt: readonly string[];
}

/** Findings that reviewers selected together. A selection lives as long as the server: it is no answer yet. */
export class Selections {
  readonly #open = new Map<string, Selection>();

  /** @throws PartloopError `input-invalid` if the findings cannot be answered together */
  begin(session: string, findings: readonly ListedFinding[]): Selection {
    const why = whyNotTogether(findings);
    if (why !== null)
      throw new PartloopError('input-invalid', `these findings cannot be answered at once: ${why}`, {
        hint: 'Filter by one kind and one pair of classes first.',
      });
    const id = randomUUID();
    const lookAt = toLookAt(
      findings.map(({ findingId }) => findingId),
      id,
    );
    const selection = { id, session, findings, lookAt };
    this.#open.set(id, selection);
    for (const oldest of this.#open.keys()) if (this.#open.size > MAX_OPEN) this.#open.delete(oldest);
    return selection;
  }

  /**
   * End a selection whose sample was seen.
   *
   * @throws PartloopError `not-found` for an unknown one, `input-invalid` if something of its sample was not seen
   */
  end(id: string, session: string, seen: readonly string[]): Selection {
    const selection = this.#open.get(id);
    if (selection === undefined || selection.session !== session)
      throw new PartloopError('not-found', 'this selection is over', { hint: 'Select the findings again.' });
    const unseen = selection.lookAt.filter((one) => !seen.includes(one));
    if (unseen.length > 0)
      throw new PartloopError('input-invalid', `${unseen.length} of the selection were not shown large yet`);
    this.#open.delete(id);
    return selection;
  }
}
