import { DiagLogLevel, diag, ROOT_CONTEXT, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  type IdGenerator,
  RandomIdGenerator,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';

/** A span that is over. Ids are hex: 16 bytes of a trace, 8 of a span. */
export interface EndedSpan {
  traceId: string;
  /** Null for one drawn at random. */
  spanId: string | null;
  /** Null for the root of a trace. */
  parentId: string | null;
  name: string;
  /** Milliseconds since 1970. */
  startedAt: number;
  endedAt: number;
  attributes: Readonly<Record<string, string | number | undefined>>;
  /** Why it failed; null if it did not. */
  error: string | null;
}

/** Takes spans that are over; sending never delays or fails anybody. */
export interface Tracing {
  emit(span: EndedSpan): void;
  /** Send what is left, for some seconds at most. */
  shutdown(): Promise<void>;
}

const SHUTDOWN_MS = 5_000;

/** Ids that are told beforehand, others at random. */
class ToldIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  traceId = '';
  spanId: string | null = null;

  generateTraceId(): string {
    return this.traceId;
  }

  generateSpanId(): string {
    return this.spanId ?? this.#random.generateSpanId();
  }
}

/** Sends spans as OTLP over HTTP; where to, the library reads from `OTEL_EXPORTER_OTLP_ENDPOINT` and its companions. */
export function openTracing(log: Pick<Logger, 'warn'>, attributes: Readonly<Record<string, string>>): Tracing {
  const warn = (): void => log.warn('spans were not sent; the work goes on');
  const none = (): void => undefined;
  // What the library says may hold the answer of a server; that it failed is enough.
  const logger = { error: warn, warn: none, info: none, debug: none, verbose: none };
  diag.setLogger(logger, { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true });
  const ids = new ToldIds();
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'partloop', ...attributes }),
    // All workers keep a trace or none does.
    sampler: new AlwaysOnSampler(),
    idGenerator: ids,
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  const tracer = provider.getTracer('partloop');
  return {
    emit({ traceId, spanId, parentId, name, startedAt, endedAt, attributes: facts, error }) {
      ids.traceId = traceId;
      ids.spanId = spanId;
      const parent =
        parentId === null
          ? ROOT_CONTEXT
          : trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: parentId, traceFlags: TraceFlags.SAMPLED });
      const span = tracer.startSpan(name, { startTime: startedAt, attributes: { ...facts } }, parent);
      if (error !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
      span.end(endedAt);
    },
    async shutdown() {
      const late = new Promise<void>((resolve) => setTimeout(resolve, SHUTDOWN_MS).unref());
      await Promise.race([provider.shutdown().catch(warn), late]);
    },
  };
}
