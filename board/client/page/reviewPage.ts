import type { Shown } from '../../../domain/board/protocol.js';
import type { Api } from '../api.js';
import { Viewer } from '../canvas/viewer.js';
import { element, type Setting } from '../setting.js';
import { Deck } from './deck.js';
import { Keys } from './keys.js';
import { Review } from './reviewing.js';
import type { Subject } from './subject.js';

/** Keys belong to a field, to a dialog that is open, and to the button that Tab went to. */
function isElsewhere({ target, key }: KeyboardEvent): boolean {
  if (document.querySelector('dialog[open]') !== null) return true;
  if (!(target instanceof HTMLElement)) return false;
  const owners = key === ' ' || key === 'Enter' ? 'input, select, textarea, button, a' : 'input, select, textarea';
  return target.closest(owners) !== null;
}

/** Start the page that answers one queue. */
export async function startReview<Item extends Shown>(
  setting: Setting,
  api: Api<Item>,
  subject: Subject<Item>,
): Promise<void> {
  const viewer = new Viewer(element('picture', HTMLCanvasElement));
  const review = new Review(setting, subject, api, new Deck(api), viewer, new Keys());
  addEventListener('keydown', (event) => {
    if (!isElsewhere(event)) review.keyDown(event);
  });
  addEventListener('keyup', (event) => {
    if (!isElsewhere(event)) review.keyUp(event);
  });
  addEventListener('pagehide', () => api.release());
  addEventListener('beforeunload', (event) => {
    if (review.hasUnsent) event.preventDefault();
  });
  // An address may name the item to begin with.
  await review.start(new URLSearchParams(location.search).get('first') ?? undefined);
}
