import { Api } from './api.js';
import { Viewer } from './canvas/viewer.js';
import { Deck } from './page/deck.js';
import { Keys } from './page/keys.js';
import { Review } from './page/reviewing.js';
import { element, readSetting } from './setting.js';

const setting = readSetting();
const api = new Api(setting.scan, setting.filter);
const viewer = new Viewer(element('picture', HTMLCanvasElement));
const review = new Review(setting, api, new Deck(api), viewer, new Keys());

/** Keys belong to a field, to a dialog that is open, and to the button that Tab went to. */
function isElsewhere({ target, key }: KeyboardEvent): boolean {
  if (document.querySelector('dialog[open]') !== null) return true;
  if (!(target instanceof HTMLElement)) return false;
  const owners = key === ' ' || key === 'Enter' ? 'input, select, textarea, button, a' : 'input, select, textarea';
  return target.closest(owners) !== null;
}

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
// An address may name the finding to begin with.
await review.start(new URLSearchParams(location.search).get('first') ?? undefined);
