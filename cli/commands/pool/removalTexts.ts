import { join } from 'node:path';
import { counted } from '../../../domain/base/counted.js';
import type { RemovalPlan } from '../../../pool/remove/planRemoval.js';
import type { Purge } from '../../../pool/remove/purge.js';
import { printTable, say } from '../../terminal/output.js';

const NAMES_SHOWN = 5;
const KEYS_SHOWN = 20;

/** `3 unknown to the pool: a, b, c`, or nothing. */
export function sayNames(what: string, names: readonly string[]): void {
  if (names.length === 0) return;
  const more = names.length > NAMES_SHOWN ? ', …' : '';
  say(`  ${names.length} ${what}: ${names.slice(0, NAMES_SHOWN).join(', ')}${more}`);
}

/** The uses of images, and the consequences of their removal. */
export function printTraces({ splits, traces, pool }: RemovalPlan, bytes: boolean, home: string): void {
  const { loops, models, reports, tables, rejected, otherPools, unreadable } = traces;
  if (loops.length > 0) {
    say('Loops and scans with these images:');
    printTable(
      loops.map(({ loop, isScan, pool: own, drawn, inTraining, findings }) => ({
        name: loop,
        kind: isScan ? 'scan' : 'loop',
        pool: own,
        drawn,
        'training set': inTraining,
        findings,
      })),
    );
    say('Running iterations keep the pool version with which they began; the next ones run without these images.');
  }
  if (models.length > 0) {
    say('Models that were trained on them:');
    printTable(
      models.map(({ model, role, production, seen, list }) => ({
        model,
        role: production === null ? role : `${role}, ${production === 'now' ? 'in production' : 'once in production'}`,
        images: seen,
        'training list': list,
      })),
    );
    say(
      'A model keeps what it learned, and so do models that started from its weights (their lists say so). Train again if that must go.',
    );
  }
  if (splits.test > 0)
    say('The test set gets a new version: every model is scored on it again, and comparisons start again.');
  if (splits.val > 0)
    say(
      'Models of the next iterations are validated without them: their figures compare with older ones only roughly.',
    );
  sayKeys('Reports that show or name them', reports);
  if (bytes) {
    sayKeys('Copies among the files that were rejected from the inbox', rejected);
    sayKeys('Tables that hold their ids or names', tables);
    for (const { pool: other, images } of otherPools)
      say(
        `Pool ${other} has ${images} of the pictures too: \`partloop pool remove ${other} --bytes\` with the same images deletes them there.`,
      );
    say(
      `Also look at: exports and reports that were saved or sent (here ${join(home, 'reports')}), and on every machine that trains or`,
    );
    say(
      `runs workers cache/segments and cache/pools/${pool} below its PARTLOOP_HOME (here ${join(home, 'cache')}, of which the pictures are deleted).`,
    );
  }
  sayKeys('Unreadable objects that may contain them', unreadable);
}

function sayKeys(title: string, keys: readonly string[]): void {
  if (keys.length === 0) return;
  say(`${title} (${keys.length}):`);
  for (const key of keys.slice(0, KEYS_SHOWN)) say(`  ${key}`);
  if (keys.length > KEYS_SHOWN) say(`  … and ${keys.length - KEYS_SHOWN} more; --json lists all`);
}

export function sayPurge(pool: string, purge: Purge): void {
  const { images, labels, sharedLabels, derivatives, labelCopies, rejected, cached } = purge;
  const { failed, elsewhere, isVersioned } = purge;
  const kept = sharedLabels > 0 ? ` (${counted(sharedLabels, 'stays', 'stay')}, since other images have the same)` : '';
  say(
    `deleted: ${counted(images, 'picture', 'pictures')}, ${counted(labels, 'label', 'labels')}${kept}, ` +
      `${counted(derivatives, 'smaller copy', 'smaller copies')}, ${counted(labelCopies, 'label copy', 'label copies')} of iterations, ` +
      `${counted(rejected, 'rejected copy', 'rejected copies')}, ${counted(cached, 'file', 'files')} of this machine's cache`,
  );
  sayKeys('Pictures outside the pool, which you delete yourself', elsewhere);
  if (isVersioned)
    say(
      'The bucket keeps old versions of objects: they are deleted only by a lifecycle rule for noncurrent versions, or by hand.',
    );
  if (failed.length === 0) return;
  sayKeys(
    'Not deleted',
    failed.map(({ key, reason }) => `${key}: ${reason}`),
  );
  say(`Run the same command again: it finds the rest of pool ${pool}.`);
}
