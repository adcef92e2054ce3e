import { setTimeout as sleep } from 'node:timers/promises';
import type { Locator, Page } from 'playwright-core';

/** A value that goes into a field *Data*. */
export type Data = Readonly<Record<string, unknown>>;

/** Letters by which a form grows if it says why it was refused. */
const SHORTEST_REFUSAL = 20;

/** What a person does in the Temporal UI; labels and marks are those of version 2.54. */
export class TemporalUi {
  readonly page: Page;
  /** The list of workflows, as `partloop ui` prints it. */
  readonly #overview: string;

  constructor(page: Page, overview: string) {
    this.page = page;
    this.#overview = overview;
  }

  /** Fill in the start form that a link opens, up to its button. */
  async fillStart(link: string, data: Data): Promise<void> {
    await this.page.goto(link);
    await this.page.getByText('Task Queue is Active').waitFor();
    await this.#fill(this.page.locator('.cm-content').first(), data);
  }

  /** Send the form, and open the page of the workflow that it started. */
  async sendStart(): Promise<void> {
    await this.page.getByTestId('start-workflow-button').click();
    await this.page.getByRole('link', { name: 'Workflow started successfully' }).click();
    await this.page.waitForURL(/\/timeline/);
  }

  async start(link: string, data: Data): Promise<void> {
    await this.fillStart(link, data);
    await this.sendStart();
  }

  /** Open the newest run of a workflow. */
  async open(id: string): Promise<void> {
    await this.page.goto(`${this.#overview}/${encodeURIComponent(id)}`);
    await this.page.getByRole('button', { name: 'More Actions' }).waitFor();
  }

  async openList(query: string): Promise<void> {
    await this.page.goto(`${this.#overview}?${new URLSearchParams({ query })}`);
  }

  /** Status, id and type of each listed workflow. */
  async listed(): Promise<string[]> {
    await this.page.locator('tbody tr').first().waitFor();
    return this.page.locator('tbody tr').allInnerTexts();
  }

  async openSchedule(id: string): Promise<void> {
    await this.page.goto(this.#overview.replace(/workflows$/, `schedules/${encodeURIComponent(id)}`));
  }

  /** Trigger the schedule whose page is open, and open the page of its newest run. */
  async trigger(): Promise<void> {
    await this.page.locator('#schedule-actions-menu-button').click();
    await this.page.getByRole('menuitem', { name: 'Trigger' }).click();
    await this.page.getByRole('dialog').getByTestId('confirm-modal-button').click();
    await this.page.getByText('1 Recent Run').first().waitFor();
  }

  /** Look at *Current Details* of a workflow until they say something; all that they say then. */
  async detailsSaying(id: string, words: RegExp): Promise<string> {
    for (;;) {
      await this.open(id);
      const text = await this.shownDetails(words);
      if (text !== null) return text;
    }
  }

  /** Look at *User Metadata* of the open page: all that it says if it says some words, otherwise null. */
  async shownDetails(words: RegExp): Promise<string | null> {
    await this.page.getByText('User Metadata', { exact: true }).first().click();
    await this.page.getByText('Current Details').waitFor();
    // The frames of summary and details load one after the other.
    for (let look = 0; look < 8; look++) {
      for (const frame of this.page.frames().slice(1)) {
        const text = await frame
          .locator('body')
          .innerText({ timeout: 1_000 })
          .catch(() => '');
        if (words.test(text)) return text;
      }
      await sleep(250);
    }
    return null;
  }

  /** Follow a link of the shown details; it opens another page. */
  async follow(link: string): Promise<Page> {
    const opened = this.page.context().waitForEvent('page');
    await this.page.frameLocator('iframe').last().getByRole('link', { name: link }).click();
    return opened;
  }

  /** *More Actions*, *Send an Update*, up to the list of updates. */
  async openUpdates(id: string): Promise<Locator> {
    await this.open(id);
    await this.page.getByRole('button', { name: 'More Actions' }).click();
    await this.page.getByRole('menuitem', { name: 'Send an Update' }).click();
    await this.page.getByRole('button', { name: 'Select an Update' }).click();
    return this.page.getByRole('dialog');
  }

  /** Choose an update from the open list, and fill in its data. */
  async fillUpdate(name: string, data: Data): Promise<void> {
    const dialog = this.page.getByRole('dialog');
    await this.page.getByRole('option', { name }).click();
    await this.#fill(dialog.locator('.cm-content:visible'), data);
  }

  /** Send the form, which closes if the update was done: null. Otherwise what the form says of the refusal. */
  async submit(): Promise<string | null> {
    const dialog = this.page.getByRole('dialog');
    const asked = await dialog.innerText();
    await dialog.getByRole('button', { name: 'Submit' }).click();
    for (;;) {
      if (!(await dialog.isVisible())) return null;
      const text = await dialog.innerText({ timeout: 1_000 }).catch(() => '');
      if (!/in progress/i.test(text) && text.length > asked.length + SHORTEST_REFUSAL) return text;
      await sleep(200);
    }
  }

  async update(id: string, name: string, data: Data): Promise<string | null> {
    await this.openUpdates(id);
    await this.fillUpdate(name, data);
    return this.submit();
  }

  /** *Reset* of a workflow that ended, to the first event that is offered. */
  async reset(id: string, reason: string): Promise<void> {
    await this.open(id);
    await this.page.getByRole('button', { name: 'Reset', exact: true }).first().click();
    const dialog = this.page.getByRole('dialog');
    await dialog.locator('button:has([data-testid="workflow-reset-event-id-select"])').click();
    await this.page.getByRole('option').first().click();
    await dialog.getByTestId('reset-reason').fill(reason);
  }

  async confirmReset(): Promise<void> {
    const dialog = this.page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Confirm' }).click();
    await dialog.waitFor({ state: 'hidden' });
  }

  /** Write into an editor. A form that was sent before fills in its last input a moment after it opens. */
  async #fill(editor: Locator, data: Data): Promise<void> {
    const wanted = JSON.stringify(data);
    for (;;) {
      await editor.fill(wanted);
      await editor.blur();
      await sleep(500);
      if (JSON.stringify(parsed((await editor.textContent()) ?? '')) === wanted) return;
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
