import { element } from '../setting.js';
import { made } from './dom.js';
import { ACTION_NAMES, ACTIONS, type Action, type Keys, keyWords } from './keys.js';

/** Keys that mean something already. */
const TAKEN = /^(Escape|Enter|Tab|Arrow.*|Control|Shift|Alt|Meta|[0-9])$/;

/** Ask for one value over the page. */
export function ask(title: string, field: HTMLElement, onDone: () => void): void {
  const dialog = element('comment', HTMLDialogElement);
  const form = made('form', { method: 'dialog' }, made('h2', {}, title), field, made('button', {}, 'Done'));
  form.addEventListener('submit', onDone);
  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    form.requestSubmit();
  });
  dialog.replaceChildren(form);
  dialog.showModal();
  field.focus();
}

/** The keys, each of which can be changed. */
export function showKeys(keys: Keys, onChange: () => void): void {
  const dialog = element('keys', HTMLDialogElement);
  const rows = ACTION_NAMES.map((action) => {
    const change = made('button', { type: 'button' }, keyWords(keys.keyOf(action)));
    change.addEventListener('click', () => listenFor(action, change, keys, onChange));
    return made('tr', {}, made('td', {}, change), made('td', {}, ACTIONS[action][1]));
  });
  const close = made('button', { type: 'button', autofocus: '' }, 'Close');
  close.addEventListener('click', () => dialog.close());
  dialog.replaceChildren(
    made('header', {}, made('h2', {}, 'Keys'), close),
    made('p', { class: 'note' }, '1 to 9 show one class alone, 0 all again. Press a key’s button to change it.'),
    made('table', {}, made('tbody', {}, ...rows)),
  );
  dialog.showModal();
}

function listenFor(action: Action, button: HTMLButtonElement, keys: Keys, onChange: () => void): void {
  button.textContent = 'press a key';
  const listen = (event: KeyboardEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    removeEventListener('keydown', listen, true);
    if (!TAKEN.test(event.key)) keys.change(action, event.key);
    element('keys', HTMLDialogElement).close();
    onChange();
    showKeys(keys, onChange);
  };
  addEventListener('keydown', listen, true);
}
