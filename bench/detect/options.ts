import { InvalidArgumentError } from 'commander';
import { VARIANTS, type Variant } from './real/variants.js';

/** An option's value as a number. */
export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError(`\`${text}\` is not a whole number above 0.`);
  return Number(text);
}

/** An option's value as a probability. */
export function probability(text: string): number {
  if (!/^(0(\.\d+)?|1(\.0+)?)$/.test(text)) throw new InvalidArgumentError(`\`${text}\` is not a number of 0 to 1.`);
  return Number(text);
}

/** Whole numbers, separated by commas. */
export function wholeNumbers(text: string): number[] {
  return text.split(',').map((part) => wholeNumber(part.trim()));
}

/** Variants of the measurement on real errors, separated by commas. */
export function variantList(text: string): Variant[] {
  return text.split(',').map((part) => {
    const known = VARIANTS.find((name) => name === part.trim());
    if (known === undefined) throw new InvalidArgumentError(`\`${part.trim()}\` is none of ${VARIANTS.join(', ')}.`);
    return known;
  });
}
