import { InvalidArgumentError } from 'commander';

/** An option's value as a number. */
export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError(`\`${text}\` is not a whole number above 0.`);
  return Number(text);
}

/** The same for a list with commas. */
export function wholeNumbers(text: string): number[] {
  return text.split(',').map((part) => wholeNumber(part.trim()));
}
