import { type Fact, factLabel, type StepResult, type Unit } from './stepContract.js';
import { CONTRACTS, type Step } from './steps.js';

/** A fact as people read it; a fact of another version keeps its own name. */
export interface ShownFact {
  name: string;
  label: string;
  value: string;
}

const LONGEST_TEXT = 40;

/** A fact's value in its unit; `–` for none. */
export function shownValue(step: Step, name: string, value: Fact | undefined): string {
  if (value == null) return '–';
  return WRITTEN[factLabel(CONTRACTS[step], name)?.unit ?? 'number'](value);
}

/** The facts of a step that are worth showing, in the order of their declaration. */
export function shownFacts(step: Step, { facts }: Pick<StepResult, 'facts'>): ShownFact[] {
  const declared = Object.keys(CONTRACTS[step].facts.shape);
  const others = Object.keys(facts).filter((name) => !declared.includes(name));
  return [...declared, ...others].flatMap((name) => {
    const value = facts[name];
    const known = factLabel(CONTRACTS[step], name);
    if (value == null || (value === 0 && known?.isException === true)) return [];
    return [{ name, label: known?.label ?? name, value: shownValue(step, name, value) }];
  });
}

/** `images drawn: 32, pool version: 1`. */
export const factsText = (step: Step, result: Pick<StepResult, 'facts'>): string =>
  shownFacts(step, result)
    .map(({ label, value }) => `${label}: ${value}`)
    .join(', ');

const plain = (value: Fact): string =>
  typeof value === 'number' ? String(Number(value.toFixed(4))) : String(value).slice(0, LONGEST_TEXT);
const numeric =
  (write: (value: number) => string) =>
  (value: Fact): string =>
    typeof value === 'number' ? write(value) : plain(value);

const WRITTEN: Readonly<Record<Unit, (value: Fact) => string>> = {
  count: plain,
  number: plain,
  text: plain,
  share: numeric((value) => `${(100 * value).toFixed(1)} %`),
  iou: numeric((value) => value.toFixed(4)),
  difference: numeric((value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`),
  yesNo: (value) => (value === true ? 'yes' : value === false ? 'no' : plain(value)),
};
