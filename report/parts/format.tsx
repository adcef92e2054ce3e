import { own } from '../../domain/base/own.js';

/** The written form of numbers, the same on every page. */
export const iou = (value: number | null): string => (value === null ? '–' : value.toFixed(3));
export const percent = (value: number | null, digits = 0): string =>
  value === null ? '–' : `${(100 * value).toFixed(digits)} %`;
export const whole = (value: number | null): string => (value === null ? '–' : value.toLocaleString('en'));
export const signed = (value: number | null): string =>
  value === null ? '–' : Math.abs(value) < 5e-4 ? '0.000' : `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;

/** A difference of shares in percentage points. */
export const points = (value: number): string => {
  const rounded = (100 * Math.abs(value)).toFixed(1);
  return rounded === '0.0' ? '0.0' : `${value < 0 ? '−' : '+'}${rounded}`;
};

export function duration(seconds: number): string {
  if (seconds < 90) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 5_400) return `${(seconds / 60).toFixed(1)} min`;
  return `${(seconds / 3_600).toFixed(1)} h`;
}

type Tone = 'good' | 'bad' | 'warn' | '';

const GATE_WORDS: Record<string, { text: string; tone: Tone }> = {
  promoted: { text: 'promoted', tone: 'good' },
  first: { text: 'first benchmark', tone: 'good' },
  held: { text: 'held', tone: 'warn' },
  rejected: { text: 'rejected', tone: 'bad' },
  'not-enough-data': { text: 'not enough data', tone: 'warn' },
  pass: { text: 'pass', tone: 'good' },
  fail: { text: 'fail', tone: 'bad' },
};

export function gateTone(gate: string): Tone {
  return own(GATE_WORDS, gate)?.tone ?? '';
}

export function Badge({ of }: { of: string | null }) {
  if (of === null) return <span>–</span>;
  const { text, tone } = own(GATE_WORDS, of) ?? { text: of, tone: '' };
  return <span class={`badge ${tone}`}>{text}</span>;
}

export function Tile({ value, label }: { value: string; label: string }) {
  return (
    <div class="tile">
      <b>{value}</b>
      <span>{label}</span>
    </div>
  );
}

/** A difference, coloured by its sign if it is more than rounding. */
export function Difference({ of }: { of: number | null }) {
  return <span class={of === null || Math.abs(of) < 5e-4 ? '' : of > 0 ? 'up' : 'down'}>{signed(of)}</span>;
}

/**
 * SVG made by `charts.ts`. It is trusted: its only text from outside is class names and tags, which the drawing
 * escapes.
 */
export function Chart({ svg }: { svg: string }) {
  return <div class="chart" dangerouslySetInnerHTML={{ __html: svg }} />;
}
