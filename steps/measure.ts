import { AsyncLocalStorage } from 'node:async_hooks';
import type { MetricName } from '../domain/metrics.js';

/** Takes a value of a metric: an amount for a counter, the value for a gauge, one observation for a histogram. */
export type Recorder = (name: MetricName, value: number, labels?: Readonly<Record<string, string>>) => void;

const current = new AsyncLocalStorage<Recorder>();

/** What `work` measures, and whatever it starts, goes to this recorder. */
export const withRecorder = <T>(recorder: Recorder, work: () => Promise<T>): Promise<T> => current.run(recorder, work);

/** Measure something of the activity that this runs in; does nothing where nobody asked for metrics. */
export const measure: Recorder = (name, value, labels) => current.getStore()?.(name, value, labels);
