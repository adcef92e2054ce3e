/** What a key can do while findings are answered or drawn on. */
export const ACTIONS = {
  accept: ['j', 'Proposal right: it goes into the label'],
  right: ['k', 'Given label right'],
  fix: ['l', 'Wrong, but I draw it myself'],
  wrong: ['w', 'Wrong, without drawing'],
  unsure: [';', 'Unsure'],
  blink: [' ', 'Hold: given and proposed label blink'],
  difference: ['d', 'Difference only'],
  hide: ['h', 'Hide all labels'],
  fainter: ['[', 'Fainter labels; smaller brush while drawing'],
  stronger: [']', 'Stronger labels; larger brush while drawing'],
  whole: ['f', 'Whole picture, and back to the finding'],
  comment: ['c', 'Give a reason with the answer'],
  undo: ['u', 'Take the last answer back; undo the last stroke while drawing'],
  redo: ['r', 'Redo the stroke'],
  handIn: ['o', 'Hand in what waits: it goes into labels now'],
  brush: ['b', 'Drawing: brush'],
  erase: ['e', 'Drawing: eraser'],
  lasso: ['p', 'Drawing: lasso'],
  takeRegion: ['t', 'Drawing: take the region from the proposal'],
  takeAway: ['x', 'Drawing: take the piece under the pointer away'],
  pickClass: ['g', 'Drawing: choose the class'],
  help: ['?', 'These keys'],
} as const satisfies Record<string, readonly [string, string]>;
export type Action = keyof typeof ACTIONS;

export const ACTION_NAMES = Object.keys(ACTIONS) as Action[];
const STORED = 'partloop-keys';

/** The keys of this browser: the defaults, with what its user changed. */
export class Keys {
  readonly #keys: Map<Action, string>;

  constructor() {
    const stored = storedKeys();
    this.#keys = new Map(ACTION_NAMES.map((name) => [name, stored[name] ?? ACTIONS[name][0]]));
  }

  keyOf(action: Action): string {
    return this.#keys.get(action) ?? ACTIONS[action][0];
  }

  actionOf(key: string): Action | null {
    const wanted = key.length === 1 ? key.toLowerCase() : key;
    return ACTION_NAMES.find((name) => this.keyOf(name) === wanted) ?? null;
  }

  /** Give an action another key; the action that had it gets the old one. */
  change(action: Action, key: string): void {
    const wanted = key.length === 1 ? key.toLowerCase() : key;
    const other = this.actionOf(wanted);
    if (other !== null) this.#keys.set(other, this.keyOf(action));
    this.#keys.set(action, wanted);
    localStorage.setItem(STORED, JSON.stringify(Object.fromEntries(this.#keys)));
  }
}

function storedKeys(): Partial<Record<Action, string>> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(STORED) ?? '{}');
    if (typeof value !== 'object' || value === null) return {};
    const known = Object.entries(value).filter(([, key]) => typeof key === 'string' && key.length <= 20);
    return Object.fromEntries(known) as Partial<Record<Action, string>>;
  } catch {
    return {};
  }
}

/** A key in words. */
export const keyWords = (key: string): string => (key === ' ' ? 'Space' : key.length === 1 ? key.toUpperCase() : key);
