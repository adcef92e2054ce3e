/** What the server wrote into the page. */
export interface Setting {
  scan: string;
  reviewer: string;
  filter: string;
  names: readonly string[];
}

/** The server's own words: they come from the same origin, in an attribute that it escaped. */
export function readSetting(): Setting {
  const value: unknown = JSON.parse(document.body.dataset.setting ?? '{}');
  if (!isSetting(value)) throw new Error('the page lacks its setting');
  return value;
}

function isSetting(value: unknown): value is Setting {
  if (typeof value !== 'object' || value === null) return false;
  const has = (name: string): unknown => (name in value ? Reflect.get(value, name) : undefined);
  return typeof has('scan') === 'string' && typeof has('filter') === 'string' && Array.isArray(has('names'));
}

/** The element of the page with an id. */
export function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`the page has no #${id}`);
}

/** One session per tab: two tabs never get the same finding. A reload keeps it. */
export function sessionId(): string {
  const known = sessionStorage.getItem('partloop-session');
  if (known !== null) return known;
  const made = crypto.randomUUID();
  sessionStorage.setItem('partloop-session', made);
  return made;
}
