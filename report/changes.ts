import type { LoopConfig } from '../domain/config.js';
import type { Decision, RegisteredModel } from '../domain/decide/decision.js';
import { wearOf, wearText } from '../domain/decide/spending.js';
import { settingDiffs } from '../domain/loop/attemptDiff.js';
import type { Changes, TrainingTags } from './data.js';
import type { IterationSoFar } from './iterationSoFar.js';

/** Where else an iteration is noted and how its steps are run changes no result. */
const NO_RESULT: ReadonlySet<string> = new Set(['durability', 'policy', 'tracking']);
/** More are counted only. */
const NAMED_SETTINGS = 12;

/** All that the changes are told from. */
export interface Compared {
  last: IterationSoFar;
  now: IterationSoFar;
  /** The decision of the last iteration; null if it cannot be read. */
  lastDecision: Decision | null;
  decision: Decision;
  training: TrainingTags;
  /** Picks that an earlier iteration drew: a scan has let them out of quarantine since. */
  returned: number;
}

/** What is different from the last iteration, in words. */
export function changesSince({ last, now, lastDecision, decision, training, returned }: Compared): Changes {
  const lines = [
    { what: 'Settings', text: settingsText(last.config, now.config) },
    { what: 'Pool', text: poolText(last, now) },
    { what: 'Images', text: imagesText(now, training, returned) },
    { what: 'Benchmark', text: modelText(lastDecision, decision) },
    { what: 'Test set', text: testText(last, now) },
    { what: 'Looks', text: looksText(decision, now.config) },
  ];
  return { since: last.iteration, lines };
}

function settingsText(before: LoopConfig, after: LoopConfig): string {
  const changed = settingDiffs(before, after).filter(({ setting }) => !NO_RESULT.has(setting.split('.')[0] ?? ''));
  if (changed.length === 0) return 'as before';
  const named = changed
    .slice(0, NAMED_SETTINGS)
    .map(({ setting, a, b }) => `${setting} ${valueText(b)}, before ${valueText(a)}`);
  const rest = changed.length - named.length;
  return [...named, ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
}

const imagesOf = (count: number): string => `${count.toLocaleString('en')} image${count === 1 ? '' : 's'}`;

const valueText = (value: unknown): string => (value === undefined ? 'not set' : JSON.stringify(value));

function poolText({ results: before }: IterationSoFar, { results: after }: IterationSoFar): string {
  const [then, version] = [before.draw?.facts.poolVersion, after.draw?.facts.poolVersion];
  if (version === undefined) return 'its version is not recorded';
  const grown = sizeText(before.draw?.facts.poolImages, after.draw?.facts.poolImages);
  return then === version ? `version ${version}, as before` : `version ${version}, before ${then ?? 'unknown'}${grown}`;
}

const sizeText = (before: number | undefined, after: number | undefined): string =>
  before === undefined || after === undefined
    ? ''
    : `; ${imagesOf(after)}, ${before === after ? 'as many as before' : `before ${before.toLocaleString('en')}`}`;

function imagesText(
  { results: { draw, scan, sample } }: IterationSoFar,
  training: TrainingTags,
  returned: number,
): string {
  const { size, joined, left } = training;
  const parts = [
    `${imagesOf(draw?.facts.drawn ?? 0)} drawn`,
    `${(scan?.facts.quarantined ?? 0).toLocaleString('en')} set aside`,
    `${(sample?.facts.sampled ?? 0).toLocaleString('en')} picked`,
    ...(returned > 0 ? [`${returned.toLocaleString('en')} of them back from quarantine`] : []),
  ];
  const corrected = draw?.facts.corrected ?? 0;
  const labels = corrected > 0 ? ` ${corrected.toLocaleString('en')} labels were corrected before the draw.` : '';
  return (
    `${parts.join(', ')}. The training set has ${imagesOf(size.after)}, before ${size.before.toLocaleString('en')}: ` +
    `${joined.toLocaleString('en')} came and ${left.toLocaleString('en')} left.${labels}`
  );
}

function modelText(before: Decision | null, { benchmark }: Decision): string {
  if (benchmark === null) return 'none until this iteration';
  if (before === null) return nameOf(benchmark);
  if (before.benchmark?.digest === benchmark.digest) return `${nameOf(benchmark)}, as before`;
  return `${nameOf(benchmark)}, before ${before.benchmark === null ? 'none' : nameOf(before.benchmark)}`;
}

const nameOf = ({ loop, iteration }: RegisteredModel): string =>
  iteration === null ? 'the baseline on random images' : `loop ${loop}, iteration ${iteration}`;

function testText({ results: before }: IterationSoFar, { results: after }: IterationSoFar): string {
  const [then, now] = [before.evaluate?.facts, after.evaluate?.facts];
  if (then?.testVersion === now?.testVersion) return 'as before';
  return `another one, ${sizeText(then?.images, now?.images).replace(/^; /, '')}: mIoU cannot be compared with before`;
}

function looksText({ look }: Decision, { gate }: LoopConfig): string {
  if (look === null) return 'none: there was no model to compare with';
  return wearText(wearOf(look, gate.plannedLooks));
}
