/** A finding that came onto the screen. Times are milliseconds since the page was asked for. */
export interface Shown {
  /** After the frame that showed it. */
  at: number;
  /** The last key before; null if none was pressed on this page. */
  pressed: number | null;
  /** The last answer about its labels. */
  ready: number;
}

/** A key that changed what lies over the picture. */
export interface Toggled {
  key: string;
  /** The page's own work from the key to the drawn picture, without waiting for the frame; milliseconds. */
  work: number;
  /** Drawn in the first frame after the key. */
  inFirst: boolean;
}

const WAIT_MS = 120_000;

/**
 * Runs in each page before its own scripts, and notes in `partloopSeen` when a finding is on the screen and how long
 * keys take. It is text, since this program knows no types of browsers.
 */
export const PROBE = `(() => {
  const seen = { shown: [], toggled: [], waiting: null };
  seen.more = (count) => new Promise((resolve, reject) => {
    if (seen.shown.length > count) return resolve(seen.shown.length);
    seen.waiting = { count, resolve };
    setTimeout(() => reject(new Error('the page shows no further finding: ' + document.body.innerText.slice(0, 500))), ${WAIT_MS});
  });
  Object.defineProperty(window, 'partloopSeen', { value: seen });
  performance.setResourceTimingBufferSize(100000);
  let pressed = null;
  let drawn = 0;
  let last = null;
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (...given) {
    draw.apply(this, given);
    drawn = performance.now();
  };
  const afterFrame = (work) => requestAnimationFrame(() => {
    const began = performance.now();
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => work(began);
    port2.postMessage(null);
  });
  addEventListener('keydown', (event) => {
    pressed = event.timeStamp;
    const began = performance.now();
    let handled = began;
    addEventListener('keydown', () => { handled = performance.now(); }, { once: true });
    const { key } = event;
    if (![' ', 'd', 'h'].includes(key) || event.repeat) return;
    afterFrame((frame) => seen.toggled.push({ key, work: handled - began + Math.max(0, drawn - frame), inFirst: drawn >= frame }));
  }, true);
  const labels = (id) => performance.getEntriesByType('resource')
    .filter(({ name }) => name.includes('/findings/' + id + '/') && /(given|proposed)$/.test(name))
    .map(({ responseEnd }) => responseEnd);
  new MutationObserver(() => {
    const id = document.body?.dataset.shown;
    if (!id || id === last) return;
    last = id;
    const key = pressed;
    afterFrame(() => {
      seen.shown.push({ at: performance.now(), pressed: key, ready: Math.max(0, ...labels(id)) });
      if (seen.waiting !== null && seen.shown.length > seen.waiting.count) seen.waiting.resolve(seen.shown.length);
    });
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ['data-shown'] });
})()`;

/**
 * Get the next finding as the page does, but for the first time and alone: the queue, then picture and labels; the
 * milliseconds that it took. It is another tab each time, so that it is another finding.
 */
export const fetchAlone = (scan: string): string => `(async () => {
  const headers = { 'x-partloop-session': crypto.randomUUID() };
  const base = '/api/scans/${encodeURIComponent(scan)}';
  const ask = (path) => fetch(base + path, { headers, cache: 'no-store' }).then((answer) => {
    if (!answer.ok) throw new Error('the board answered ' + answer.status + ' to ' + path);
    return answer;
  });
  const began = performance.now();
  const [item] = (await (await ask('/queue?count=1')).json()).items;
  const label = (which) => ask('/findings/' + item.id + '/' + which).then((answer) => answer.arrayBuffer());
  await Promise.all([
    ask('/images/' + item.imageId).then((answer) => answer.blob()).then((picture) => createImageBitmap(picture)),
    label('given'),
    item.hasProposal ? label('proposed') : null,
  ]);
  return performance.now() - began;
})()`;
