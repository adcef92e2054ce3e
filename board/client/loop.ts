/** Renews the parts of a loop's page that change, and leaves alone what somebody types or chooses. */
const EVERY_MS = 3_000;

const isEdited = ({ type, value, defaultValue }: HTMLInputElement): boolean =>
  type !== 'hidden' && value !== defaultValue;

/** The details whose summary has the focus: it is given back after the part was renewed. */
const focusedDetails = (): string | null =>
  document.activeElement?.matches('details[id] > summary') === true
    ? (document.activeElement.parentElement?.id ?? null)
    : null;

const isInUse = (part: Element): boolean =>
  (part.contains(document.activeElement) && focusedDetails() === null) ||
  [...part.querySelectorAll('input')].some(isEdited);

const openDetails = (part: Element): string[] => [...part.querySelectorAll('details[open][id]')].map(({ id }) => id);

function renew(part: Element, fresh: Element): void {
  // What a person opened is no difference.
  const open = openDetails(part);
  for (const id of open) fresh.querySelector(`#${CSS.escape(id)}`)?.setAttribute('open', '');
  if (part.outerHTML === fresh.outerHTML || isInUse(part)) return;
  const focused = focusedDetails();
  part.replaceWith(document.importNode(fresh, true));
  if (focused !== null) document.querySelector<HTMLElement>(`#${CSS.escape(focused)} > summary`)?.focus();
}

async function look(): Promise<void> {
  const response = await fetch(location.pathname, { headers: { accept: 'text/html' } });
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  for (const part of document.querySelectorAll('[data-live]')) {
    const fresh = page.getElementById(part.id);
    if (fresh !== null) renew(part, fresh);
  }
}

/** One look after the other; a hidden page asks for nothing. */
async function goOn(): Promise<void> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    if (document.hidden) continue;
    // A board that ended is asked again: it may come back.
    await look().catch(() => undefined);
  }
}

void goOn();
