/** Renews the parts of a loop's page that change, and leaves alone what somebody types or chooses. */
const EVERY_MS = 3_000;

const isEdited = (field: Element): boolean => {
  if (field instanceof HTMLInputElement) return field.type !== 'hidden' && field.value !== field.defaultValue;
  return (
    field instanceof HTMLSelectElement &&
    [...field.options].some(({ selected, defaultSelected }) => selected && !defaultSelected && field.selectedIndex > 0)
  );
};

const isInUse = (part: Element): boolean =>
  part.contains(document.activeElement) || [...part.querySelectorAll('input, select')].some(isEdited);

const openDetails = (part: Element): string[] => [...part.querySelectorAll('details[open][id]')].map(({ id }) => id);

function renew(part: Element, fresh: Element): void {
  // What a person opened is no difference.
  const open = openDetails(part);
  for (const id of open) fresh.querySelector(`#${CSS.escape(id)}`)?.setAttribute('open', '');
  if (part.outerHTML === fresh.outerHTML || isInUse(part)) return;
  part.replaceWith(document.importNode(fresh, true));
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
