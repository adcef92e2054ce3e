import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Tests that a machine may lack something for, by their full titles: `[{ why, tests }]`. */
const LIST = join(import.meta.dirname, 'allowedSkips.json');

/** @returns {Map<string, string>} full title -> what the machine may lack */
export const allowedSkips = () =>
  new Map(JSON.parse(readFileSync(LIST, 'utf8')).flatMap(({ why, tests }) => tests.map((title) => [title, why])));

/**
 * The skipped tests that may not be skipped, as failures: whoever skips a test for another reason than the machine
 * would never hear of what it holds.
 */
export const forbiddenSkips = (skipped, allowed = allowedSkips()) =>
  skipped
    .filter((title) => !allowed.has(title))
    .map((title) => ({ title, why: 'it was skipped, and infra/testing/allowedSkips.json does not name it' }));
