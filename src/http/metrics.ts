// What Prometheus may know: counts and times by route pattern, sizes of the index. No label that a caller can choose.

import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { Problem } from '../domain/problem.js'
import type { Health } from '../services/health.js'
import type { RequestFacts } from './plugins/request-log.js'

export interface Metrics {
  observe(facts: RequestFacts): void
  /** In Prometheus's text format. */
  text(): Promise<string>
}

const BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30]

export function makeMetrics(health: Health): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const duration = new Histogram({
    name: 'tabir_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS_S,
    registers: [registry],
  })
  const ready = new Gauge({ name: 'tabir_ready', help: '1 when matches can be answered.', registers: [registry] })
  const revision = new Gauge({
    name: 'tabir_index_revision',
    help: 'Last change that the index has.',
    registers: [registry],
  })
  const images = new Gauge({ name: 'tabir_index_images', help: 'Registered images.', registers: [registry] })
  const rows = new Gauge({
    name: 'tabir_index_rows',
    help: 'Rows that a search can find.',
    labelNames: ['type'],
    registers: [registry],
  })

  return {
    observe: ({ method, route, status, ms }) => duration.observe({ method, route, status }, ms / 1000),
    text() {
      const report = health.report()
      ready.set(report instanceof Problem ? 0 : 1)
      if (!(report instanceof Problem)) {
        revision.set(report.revision)
        images.set(report.images)
        for (const [type, count] of Object.entries(report.rows)) rows.set({ type }, count)
      }
      return registry.metrics()
    },
  }
}
