import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, type Locator, type Page, chromium as playwright } from 'playwright-core';
import sharp from 'sharp';
import { chromium, hasChromium } from './chromium.js';

/** Of 200 MB on a busy machine. */
const UNPACK_MS = 180_000;
/** A wait for something in a page ends with its name, before the test does. */
const WAIT_MS = 60_000;

/** A page, and what happened in it. */
export interface WatchedPage {
  page: Page;
  /** Errors that the page wrote to its console or threw. */
  errors: string[];
  /** Servers that it asked for anything: `http://127.0.0.1:8233`; files and data URLs have none. */
  servers: Set<string>;
}

export interface View {
  width: number;
  height?: number;
  colorScheme?: 'light' | 'dark';
}

/**
 * For the `describe` that calls this: a browser without a window, closed at its end. Its tests are skipped where no
 * Chromium is. The result opens a page, with a profile of its own.
 */
export function needsBrowser(): (view: View) => Promise<WatchedPage> {
  let browser: Browser | undefined;
  before(async function () {
    this.timeout(UNPACK_MS);
    if (!hasChromium) this.skip();
    // Users of CI are often root, and Chromium has no sandbox for root. It sees our own pages alone.
    browser = await playwright.launch({ ...(await chromium()), chromiumSandbox: false });
  });
  after(() => browser?.close());
  return async ({ width, height = 800, colorScheme = 'light' }) => {
    if (browser === undefined) throw new Error('the browser does not run: pages are opened in tests and hooks');
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, timezoneId: 'UTC' });
    context.setDefaultTimeout(WAIT_MS);
    return watched(await context.newPage());
  };
}

function watched(page: Page): WatchedPage {
  const errors: string[] = [];
  const servers = new Set<string>();
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'file:' && protocol !== 'data:') servers.add(origin);
  });
  return { page, errors, servers };
}

/**
 * Save what is seen as `NAME.png`, if `PARTLOOP_SCREENSHOTS` names a folder: small enough for `docs/images`. `height`
 * cuts the picture off below.
 */
export async function takePicture(seen: Page | Locator, name: string, height?: number): Promise<void> {
  const folder = process.env.PARTLOOP_SCREENSHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  if ('goto' in seen) await seen.evaluate('for (const each of document.querySelectorAll("*")) each.scrollTop = 0');
  const image = sharp(await seen.screenshot({ animations: 'disabled' }));
  const whole = await image.metadata();
  const cut = height === undefined ? image : image.extract({ left: 0, top: 0, width: whole.width, height });
  await cut.png({ palette: true, effort: 10, compressionLevel: 9 }).toFile(join(folder, `${name}.png`));
}
