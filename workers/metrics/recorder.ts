import type { MetricMeter } from '@temporalio/common';
import { MAX_LOOPS, METRICS, type MetricName, OTHER_LOOPS } from '../../domain/metrics.js';
import type { Recorder } from '../../steps/measure.js';

type Labels = Readonly<Record<string, string>>;
type Write = (value: number, labels: Labels) => void;

/**
 * Writes metrics to a meter of Temporal's runtime. Of the labels it is given a metric keeps those that it declares;
 * loops beyond the first hundred share one label.
 */
export function recorderOf(meter: MetricMeter): (common: Labels) => Recorder {
  const writes = new Map<MetricName, Write>();
  const loops = new Set<string>();
  const bounded = (loop: string): string => {
    if (!loops.has(loop) && loops.size >= MAX_LOOPS) return OTHER_LOOPS;
    loops.add(loop);
    return loop;
  };
  return (common) =>
    (name, value, own = {}) => {
      // A meter refuses such values by an error, and no measurement may fail the work.
      if (!Number.isFinite(value) || value < 0) return;
      const { labels } = METRICS[name];
      const known = Object.entries({ ...common, ...own }).filter(([label]) => labels.some((one) => one === label));
      const write = writes.get(name) ?? writer(meter, name);
      writes.set(name, write);
      write(value, Object.fromEntries(known.map(([label, text]) => [label, label === 'loop' ? bounded(text) : text])));
    };
}

function writer(meter: MetricMeter, name: MetricName): Write {
  const { kind, help } = METRICS[name];
  switch (kind) {
    case 'counter': {
      const counter = meter.createCounter(name, undefined, help);
      return (value, labels) => counter.add(value, labels);
    }
    case 'gauge': {
      const gauge = meter.createGauge(name, 'float', undefined, help);
      return (value, labels) => gauge.set(value, labels);
    }
    case 'histogram': {
      const histogram = meter.createHistogram(name, 'float', undefined, help);
      return (value, labels) => histogram.record(value, labels);
    }
  }
}
