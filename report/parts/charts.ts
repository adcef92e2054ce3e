import * as Plot from '@observablehq/plot';
import { DOMParser } from 'linkedom';
import type { SampleComparison } from '../../domain/sample/compare.js';
import type { ClassQuality, IterationPoint } from '../data.js';

/** Charts as SVG text. Colours are the page's CSS variables, so that one chart fits light and dark. */
const CANDIDATE = 'var(--candidate)';
const BENCHMARK = 'var(--benchmark)';
const MUTED = 'var(--muted)';
const CURVE_HEIGHT = 340;
const LABEL_HEIGHT = 17;
/** Rounds of pushing labels apart; each halves the remaining overlap. */
const ROUNDS = 100;

type PlotDocument = NonNullable<Plot.PlotOptions['document']>;

/** A chart as SVG text, without a browser. */
export function draw(options: Plot.PlotOptions): string {
  // Plot needs a browser's document; linkedom's has everything that it uses.
  const document = new DOMParser().parseFromString(
    '<html><body></body></html>',
    'text/html',
  ) as unknown as PlotDocument;
  const chart = Plot.plot({
    ...options,
    document,
    style: { background: 'none', color: 'inherit', fontFamily: 'inherit', fontSize: '12px', overflow: 'visible' },
  });
  return chart.outerHTML;
}

/** mIoU of every iteration's candidate, of the benchmark at that time, and of controls if there are any. */
export function miouCurve(points: readonly IterationPoint[]): string {
  const series = (key: 'miou' | 'majorMiou' | 'minorMiou' | 'benchmarkMiou' | 'controlMiou') =>
    points.flatMap((point) =>
      point[key] === null ? [] : [{ iteration: point.iteration, value: point[key], gate: point.gate }],
    );
  const benchmark = series('benchmarkMiou');
  const candidate = series('miou');
  const control = series('controlMiou');
  const all = [...benchmark, ...candidate, ...control, ...series('majorMiou'), ...series('minorMiou')].map(
    ({ value }) => value,
  );
  const low = Math.max(0, Math.min(...all) - 0.05);
  const high = Math.min(1, Math.max(...all) + 0.05);
  const last = <T>(values: readonly T[]): T[] => values.slice(-1);
  const line = (key: 'majorMiou' | 'minorMiou') => [
    Plot.lineY(series(key), { x: 'iteration', y: 'value', stroke: MUTED, strokeWidth: 1.25, strokeOpacity: 0.7 }),
    Plot.dot(series(key), { x: 'iteration', y: 'value', r: 2, fill: MUTED }),
  ];
  const ends = [
    ...last(series('majorMiou')).map((point) => ({ ...point, text: 'major parts', fill: MUTED, weight: 400 })),
    ...last(series('minorMiou')).map((point) => ({ ...point, text: 'minor parts', fill: MUTED, weight: 400 })),
    ...last(control).map((point) => ({ ...point, text: 'random images', fill: MUTED, weight: 600 })),
    ...last(benchmark).map((point) => ({ ...point, text: 'benchmark', fill: BENCHMARK, weight: 600 })),
    ...last(candidate).map((point) => ({
      ...point,
      text: `candidate ${point.value.toFixed(3)}`,
      fill: CANDIDATE,
      weight: 600,
    })),
  ];
  const places = spread(
    ends.map(({ value }) => value),
    (LABEL_HEIGHT / CURVE_HEIGHT) * (high - low),
  );
  return draw({
    width: 1040,
    height: CURVE_HEIGHT,
    marginRight: 120,
    marginLeft: 46,
    x: {
      label: 'iteration',
      ticks: points.map((point) => point.iteration),
      tickFormat: 'd',
      domain: [Math.min(...points.map((p) => p.iteration)) - 0.15, Math.max(...points.map((p) => p.iteration)) + 0.15],
    },
    y: { label: 'mIoU', grid: true, domain: [low, high], tickFormat: '.2f', ticks: 6 },
    marks: [
      ...line('majorMiou'),
      ...line('minorMiou'),
      Plot.lineY(control, { x: 'iteration', y: 'value', stroke: MUTED, strokeWidth: 2, strokeDasharray: '2,4' }),
      Plot.dot(control, { x: 'iteration', y: 'value', r: 3, fill: 'var(--surface)', stroke: MUTED, strokeWidth: 1.5 }),
      Plot.lineY(benchmark, { x: 'iteration', y: 'value', stroke: BENCHMARK, strokeWidth: 2, strokeDasharray: '5,4' }),
      Plot.dot(benchmark, { x: 'iteration', y: 'value', r: 3, fill: BENCHMARK }),
      Plot.lineY(candidate, { x: 'iteration', y: 'value', stroke: CANDIDATE, strokeWidth: 2.5 }),
      Plot.dot(candidate, {
        x: 'iteration',
        y: 'value',
        r: 4.5,
        fill: CANDIDATE,
        stroke: 'var(--surface)',
        strokeWidth: 1.5,
      }),
      Plot.text(candidate.slice(0, -1), {
        x: 'iteration',
        y: 'value',
        text: (point: { value: number }) => point.value.toFixed(3),
        dy: -13,
        fill: CANDIDATE,
        fontWeight: 600,
      }),
      ...ends.map(({ iteration, text, fill, weight }, index) =>
        Plot.text([{ iteration, value: places[index] }], {
          x: 'iteration',
          y: 'value',
          text: () => text,
          dx: 8,
          textAnchor: 'start',
          fill,
          fontWeight: weight,
        }),
      ),
    ],
  });
}

/** Places for labels at `values`, in their order, pushed apart to at least `gap`; the middle of each cluster stays. */
export function spread(values: readonly number[], gap: number): number[] {
  const order = values.map((_, index) => index).sort((a, b) => (values[a] as number) - (values[b] as number));
  const places = [...values];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [rank, index] of order.entries()) {
      const below = order[rank - 1];
      if (below === undefined) continue;
      const lacking = gap - ((places[index] as number) - (places[below] as number));
      if (lacking <= 0) continue;
      places[index] = (places[index] as number) + lacking / 2;
      places[below] = (places[below] as number) - lacking / 2;
    }
  }
  return places;
}

/** IoU of every class; the benchmark's is a hollow mark. */
export function classChart(classes: readonly ClassQuality[]): string {
  const rows = classes
    .flatMap((entry) => (entry.iou === null ? [] : [{ ...entry, iou: entry.iou }]))
    .sort((a, b) => b.iou - a.iou);
  const compared = rows.flatMap((entry) =>
    entry.benchmarkIou === null ? [] : [{ ...entry, benchmarkIou: entry.benchmarkIou }],
  );
  return draw({
    width: 1040,
    height: 72 + rows.length * 19,
    marginTop: 42,
    marginLeft: 150,
    marginRight: 40,
    // Above the numbers of the axis, the last of which is where the label would be.
    x: { label: 'IoU', labelOffset: 40, domain: [0, 1], grid: true, axis: 'top', ticks: 6 },
    y: { label: null, domain: rows.map((entry) => entry.name), tickSize: 0 },
    marks: [
      Plot.ruleY(compared, {
        y: 'name',
        x1: 'benchmarkIou',
        x2: 'iou',
        stroke: MUTED,
        strokeWidth: 3,
        strokeOpacity: 0.35,
      }),
      Plot.dot(compared, { y: 'name', x: 'benchmarkIou', r: 4, stroke: BENCHMARK, strokeWidth: 1.75 }),
      Plot.dot(rows, {
        y: 'name',
        x: 'iou',
        r: 4.5,
        fill: CANDIDATE,
        symbol: (entry: ClassQuality) => (entry.group === 'minor' ? 'diamond' : 'circle'),
      }),
    ],
    symbol: { type: 'identity' } as Plot.ScaleOptions,
  });
}

/** Shares of one tag's values in the sample (bars), a random pick of equal size (line) and the chunk (dot). */
export function tagChart({ tag, values }: SampleComparison['tags'][number], size: SampleComparison['size']): string {
  const share = (count: number, of: number) => (of === 0 ? 0 : count / of);
  const rows = values.map((value) => ({
    name: value.name,
    sample: share(value.sample, size.sample),
    random: share(value.random, size.random),
    chunk: share(value.chunk, size.chunk),
  }));
  return draw({
    width: 60 + Math.max(130, rows.length * 34),
    height: 170,
    marginLeft: 40,
    marginBottom: 34,
    x: { label: tag, domain: rows.map((row) => row.name), tickSize: 0, padding: 0.25 },
    y: {
      label: null,
      grid: true,
      tickFormat: '.0%',
      ticks: 4,
      domain: [0, Math.max(0.05, ...rows.flatMap((row) => [row.sample, row.random, row.chunk]))],
    },
    marks: [
      Plot.barY(rows, { x: 'name', y: 'sample', fill: CANDIDATE, fillOpacity: 0.85 }),
      Plot.tickY(rows, { x: 'name', y: 'random', stroke: BENCHMARK, strokeWidth: 2.5 }),
      Plot.dot(rows, { x: 'name', y: 'chunk', r: 2.5, fill: 'currentColor' }),
    ],
  });
}
