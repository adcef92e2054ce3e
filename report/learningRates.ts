import * as Plot from '@observablehq/plot';
import { draw } from './parts/charts.js';

const LINE = '#2563eb';
const MARK = '#b45309';

export interface RatePoint {
  /** Learning rate of the decode head. */
  rate: number;
  /** Smoothed training loss. */
  loss: number;
}

/**
 * The plot of a learning rate range test (Smith 2017, section 3.3) as a separate SVG file: loss over the rate, and the
 * suggested rate.
 */
export function learningRateChart(points: readonly RatePoint[], suggested: number | null): string {
  const chart = draw({
    width: 860,
    height: 380,
    marginLeft: 56,
    x: { type: 'log', label: 'peak learning rate of the head', tickFormat: '~e' },
    y: { label: 'loss, smoothed', grid: true },
    marks: [
      Plot.lineY(points, { x: 'rate', y: 'loss', stroke: LINE, strokeWidth: 2 }),
      ...(suggested === null
        ? []
        : [
            Plot.ruleX([suggested], { stroke: MARK, strokeDasharray: '4,4' }),
            Plot.text([suggested], {
              x: (rate: number) => rate,
              text: (rate: number) => `steepest fall at ${rate.toPrecision(2)}`,
              frameAnchor: 'top',
              textAnchor: 'start',
              dx: 6,
              fill: MARK,
            }),
          ]),
    ],
  });
  const opening = '<svg ';
  return `${chart.includes('xmlns=') ? chart : chart.replace(opening, `${opening}xmlns="http://www.w3.org/2000/svg" `)}\n`;
}
