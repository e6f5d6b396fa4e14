// OpenTelemetry traces, off unless the operator names a collector. Only listed attributes of our own are exported: no paths, names,
// messages or anything that a caller sent.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Attributes } from '@opentelemetry/api'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node'
import type { FastifyPluginCallback } from 'fastify'

export interface Tracing {
  /** Makes a span of each request and of its handler. */
  readonly plugin: FastifyPluginCallback
  /** Sends the remaining spans, if the collector accepts them within a second. */
  close(): Promise<void>
}

const CLOSE_TIMEOUT_MS = 1000

/** The only attributes that are exported. Routes are patterns, never paths: a path may name a case. */
const ATTRIBUTES: ReadonlySet<string> = new Set([
  'http.request.method',
  'http.route',
  'http.response.status_code',
  'fastify.type',
  'tabir.purpose',
  'tabir.outcome',
])

/**
 * Starts tracing in this process. The code is loaded here, so that without a collector it is not in memory. Trace headers of callers are
 * ignored: callers could write into the operator's traces.
 * @param url of the collector, OTLP over HTTP: `http://127.0.0.1:4318/v1/traces`
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

/** An exporter that receives only what may be exported. */
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
    // The originals may have error messages, and links and states that others sent.
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
