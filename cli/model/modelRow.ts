import { InvalidArgumentError } from 'commander';
import type { ProductionEntry } from '../../domain/decide/decision.js';
import { modelReference, shortDigest } from '../../domain/decide/modelName.js';
import type { KnownModel, TaxonomyModels } from '../../storage/models/knownModels.js';

/** A model's name on the command line. */
export function modelArgument(text: string): string {
  if (modelReference(text) !== null) return text;
  throw new InvalidArgumentError(
    `\`${text}\` is not a model: give LOOP:N, LOOP:baseline, or at least 8 digits (0–9, a–f) of its digest.`,
  );
}

/** A known model for programs. */
export function modelJson({ name, model, card, attempt, isInProduction, production }: KnownModel) {
  const { evaluate, decide } = attempt?.results ?? {};
  return {
    ...{ name, ...model, isInProduction },
    wasInProduction: production.length > 0 && !isInProduction,
    trainedAt: attempt?.recordedAt ?? null,
    miou: evaluate?.facts.miou ?? null,
    valMiou: card?.valMiou ?? null,
    testVersion: evaluate?.facts.testVersion ?? null,
    gate: decide?.facts.gate ?? null,
    gain: decide?.facts.gain ?? null,
    pendingApproval: decide?.facts.pendingApproval ?? null,
  };
}

/** Taxonomy for people: `car-parts-34 (1a2b3c4d5e6f; pools: cars, vans)`. */
export function taxonomyText({ name, digest, pools }: TaxonomyModels): string {
  const of = pools.length === 0 ? 'no pool' : `${pools.length === 1 ? 'pool' : 'pools'}: ${pools.join(', ')}`;
  return `taxonomy ${name ?? 'without a pool'} (${shortDigest(digest)}; ${of})`;
}

/** The name of a model of a history, which may be in no record. */
export function nameIn({ models }: TaxonomyModels, { model }: Pick<ProductionEntry, 'model'>): string {
  const known = models.find(
    (one) =>
      one.model.digest === model.digest && one.model.loop === model.loop && one.model.iteration === model.iteration,
  );
  return known?.name ?? shortDigest(model.digest);
}

export const places = (value: number | null | undefined): string => (value == null ? '–' : value.toFixed(4));

/** `2026-11-28T10:25:00.000Z` as `2026-11-28 10:25`. */
export const minuteOf = (at: string): string => at.slice(0, 16).replace('T', ' ');
