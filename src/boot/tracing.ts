// Traces for OpenTelemetry: off unless an operator names a collector. What leaves is on a list of words and numbers that are ours; paths,
// names, messages and whatever a caller sent stay here.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Attributes } from '@opentelemetry/api'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node'
import type { FastifyPluginCallback } from 'fastify'

export interface Tracing {
  /** Makes a span of each request and of its handler. */
  readonly plugin: FastifyPluginCallback
  /** Sends what is left, if the collector takes it within a moment. */
  close(): Promise<void>
}

const CLOSE_TIMEOUT_MS = 1000

/** The only attributes that leave. Routes as patterns, never paths: a path may name a case. */
const ATTRIBUTES: ReadonlySet<string> = new Set([
  'http.request.method',
  'http.route',
  'http.response.status_code',
  'fastify.type',
  'tabir.purpose',
  'tabir.outcome',
])

/**
 * Begins tracing in this process. Its code is loaded when asked, so whoever has no collector has none of it in memory.
 *
 * Trace headers of callers are not read: they could write into the operator's traces.
 * @param url of the collector, for OTLP over HTTP: `http://127.0.0.1:4318/v1/traces`
 */
export async function startTracing(url: string, service: 'tabir-api' | 'tabir-workers'): Promise<Tracing> {
  const [
    { NodeTracerProvider, BatchSpanProcessor },
    { OTLPTraceExporter },
    { resourceFromAttributes },
    { FastifyOtelInstrumentation },
  ] = await Promise.all([
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('@fastify/otel'),
  ])
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    spanProcessors: [new BatchSpanProcessor(cleaned(new OTLPTraceExporter({ url })))],
  })
  provider.register({ propagator: null })
  const fastify = new FastifyOtelInstrumentation({
    registerOnInitialization: false,
    instrumentHooks: false,
    recordExceptions: false,
  })
  fastify.setTracerProvider(provider)
  return {
    plugin: fastify.plugin(),
    close: () => Promise.race([provider.shutdown().catch(() => {}), sleep(CLOSE_TIMEOUT_MS)]),
  }
}

/** An exporter that is given nothing but what may leave. */
export function cleaned(exporter: SpanExporter): SpanExporter {
  return {
    export: (spans, done) => exporter.export(spans.map(clean), done),
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush !== undefined && { forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve() }),
  }
}

function clean(span: ReadableSpan): ReadableSpan {
  const attributes: Attributes = Object.fromEntries(Object.entries(span.attributes).filter(([name]) => ATTRIBUTES.has(name)))
  const own = <T>(value: T) => ({ value, enumerable: true })
  return Object.create(span, {
    attributes: own(attributes),
    name: own(nameOf(span, attributes)),
    // Messages of errors, and links and states that others sent.
    status: own({ code: span.status.code }),
    events: own([]),
    links: own([]),
  })
}

function nameOf({ name, parentSpanContext }: ReadableSpan, attributes: Attributes): string {
  const { 'http.request.method': method, 'http.route': route } = attributes
  if (parentSpanContext === undefined && method !== undefined) return `${method} ${route ?? 'unknown'}`
  return /^[\w .-]{1,64}$/.test(name) ? name : 'unnamed'
}
