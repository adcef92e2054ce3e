import * as Plot from '@observablehq/plot';
import { draw } from '../../report/parts/charts.js';
import { gainOver, type TrainedArm } from './tables.js';

const ROW = 26;
const PAGE = 'background:#fff;color:#1c2128;font-family:sans-serif';

/** The gains of every arm over the baseline in mIoU, with their intervals and single seeds, as a whole SVG file. */
export function gainsPlot(trained: readonly TrainedArm[], baseline: string): string {
  const arms = [...new Set(trained.map(({ arm }) => arm))].filter((arm) => arm !== baseline);
  const means = arms.flatMap((arm) => {
    const { interval } = gainOver(trained, arm, baseline, 'miou');
    return interval === null ? [] : [{ arm, ...interval }];
  });
  const order = means.toSorted((a, b) => b.mean - a.mean).map(({ arm }) => arm);
  const seeds = order.flatMap((arm) =>
    gainOver(trained, arm, baseline, 'miou').differences.map((gain) => ({ arm, gain })),
  );
  const svg = draw({
    width: 760,
    height: 60 + ROW * order.length,
    marginLeft: 130,
    marginBottom: 44,
    insetLeft: 10,
    x: { label: `points of mIoU over ${baseline}`, grid: true },
    y: { domain: order, label: null },
    marks: [
      Plot.ruleX([0]),
      Plot.dot(seeds, { x: 'gain', y: 'arm', r: 2.5, fill: '#8a8f98' }),
      Plot.link(means, { x1: 'low', x2: 'high', y1: 'arm', y2: 'arm', stroke: '#1f6feb', strokeWidth: 2.5 }),
      Plot.dot(means, { x: 'mean', y: 'arm', r: 5, fill: '#1f6feb' }),
    ],
  });
  // A file of its own has no page to inherit from.
  return svg
    .replace('background:none;color:inherit;font-family:inherit', PAGE)
    .replace(/^<svg/, '<svg xmlns="http://www.w3.org/2000/svg"');
}
