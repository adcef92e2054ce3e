import { Runtime, type RuntimeOptions } from '@temporalio/worker';
import { PartloopError } from '../../domain/base/errors.js';
import { METRICS } from '../../domain/metrics.js';

const BUCKETS = Object.fromEntries(
  Object.entries(METRICS).flatMap(([name, metric]) => ('buckets' in metric ? [[name, [...metric.buckets]]] : [])),
);

/**
 * Install Temporal's runtime; with an address it answers Prometheus there, at `/metrics`.
 *
 * @throws PartloopError `setup-incomplete` where it cannot listen there
 */
export function installRuntime(options: RuntimeOptions, address: string | null): void {
  if (address === null) return void Runtime.install(options);
  const prometheus = { bindAddress: address, useSecondsForDurations: true, histogramBucketOverrides: BUCKETS };
  try {
    Runtime.install({ ...options, telemetryOptions: { ...options.telemetryOptions, metrics: { prometheus } } });
  } catch (cause) {
    throw new PartloopError('setup-incomplete', `metrics cannot be offered at ${address}`, {
      cause,
      hint: 'PARTLOOP_METRICS_ADDRESS has to be an address of this machine whose port is free.',
    });
  }
}
