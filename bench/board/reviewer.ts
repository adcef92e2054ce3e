import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, type BrowserContext, type Page, chromium as playwright } from 'playwright-core';
import { seededRandom } from '../../domain/base/random.js';
import { chromium } from '../../test/support/browser/chromium.js';
import { fetchAlone, PROBE, type Shown, type Toggled } from './probe.js';

const VIEW = { width: 1_440, height: 900 };
const WAIT_MS = 120_000;
const ANSWERS = ['j', 'k', ';', 'j', 'k'] as const;
const TOGGLES = [' ', 'd', 'h'] as const;
/** Between two looks at the same finding. */
const LOOK_MS = 120;
/** People's times spread about so: the logarithm has this deviation. */
const SPREAD = 0.4;

/** A browser without a window, whose pages note what they show. */
export async function openBrowser(): Promise<Browser> {
  return playwright.launch({ ...(await chromium()), chromiumSandbox: false });
}

/** A person with a browser profile of their own, at the board. */
export class Reviewer {
  private constructor(
    private readonly context: BrowserContext,
    private readonly page: Page,
    private readonly origin: string,
  ) {}

  static async sitDown(browser: Browser, origin: string, name: string): Promise<Reviewer> {
    const context = await browser.newContext({ viewport: VIEW });
    context.setDefaultTimeout(WAIT_MS);
    await context.addInitScript(PROBE);
    await context.addCookies([{ name: 'partloop_name', value: name, url: origin }]);
    return new Reviewer(context, await context.newPage(), origin);
  }

  /** Open a page of the board; milliseconds until its finding is on the screen. */
  async open(path: string): Promise<number> {
    await this.page.goto(`${this.origin}${path}`);
    await this.page.evaluate('partloopSeen.more(0)');
    return (await this.shown())[0]?.at ?? Number.NaN;
  }

  /** Milliseconds of findings got one by one, none of them fetched ahead. */
  async fetchAlone(scan: string, count: number): Promise<number[]> {
    const times: number[] = [];
    for (let at = 0; at < count; at++) times.push(await this.page.evaluate<number>(fetchAlone(scan)));
    return times;
  }

  /** Change what lies over the picture, so many times on each of some findings. */
  async toggle(findings: number): Promise<Toggled[]> {
    for (let at = 0; at < findings; at++) {
      for (const key of TOGGLES) {
        await this.page.keyboard.down(key);
        await sleep(LOOK_MS);
        await this.page.keyboard.up(key);
        if (key !== ' ') await this.page.keyboard.press(key);
        await sleep(LOOK_MS);
      }
      await this.#press('k');
      await sleep(LOOK_MS);
    }
    return this.page.evaluate<Toggled[]>('partloopSeen.toggled');
  }

  /** Answer findings by keys, each after a random time of about `thinking` seconds; what came onto the screen. */
  async answer(count: number, thinking: number, seed: string): Promise<{ shown: Shown[]; perMinute: number }> {
    const random = seededRandom('board', 'reviewer', seed);
    const before = (await this.shown()).length;
    const began = performance.now();
    for (let at = 0; at < count; at++) {
      if (thinking > 0) await sleep(1_000 * thinking * Math.exp(SPREAD * normal(random)));
      await this.#press(ANSWERS[at % ANSWERS.length] ?? 'k');
    }
    const perMinute = (60_000 * count) / (performance.now() - began);
    return { shown: (await this.shown()).slice(before), perMinute };
  }

  async leave(): Promise<void> {
    await this.context.close();
  }

  shown(): Promise<Shown[]> {
    return this.page.evaluate<Shown[]>('partloopSeen.shown');
  }

  async #press(key: string): Promise<void> {
    const before = await this.page.evaluate<number>('partloopSeen.shown.length');
    await this.page.keyboard.press(key);
    await this.page.evaluate(`partloopSeen.more(${before})`);
  }
}

/** A normal deviate of mean 0 and deviation 1 (Box and Muller). */
const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
