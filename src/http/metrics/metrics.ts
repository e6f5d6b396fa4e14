// What Prometheus may know: counts and times by route pattern, sizes of the index. No label that a caller can choose.

import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client'
import { UNAVAILABLE_CAUSES } from '../../domain/store-unavailable.js'
import { SHORTAGES, type Shortage } from '../../services/load/admission.js'
import type { Health } from '../../services/ops/health.js'
import type { OperationReport } from '../../services/ops/operation.js'
import type { RequestFacts } from '../plugins/request-log.js'
import { createGauges } from './gauges.js'
import { healthMetrics } from './health-metrics.js'
import { type CertificateFacts, operationMetrics } from './operation-metrics.js'

export interface Metrics {
  observe(facts: RequestFacts): void
  shed(shortage: Shortage): void
  /** In Prometheus's text format. */
  text(): Promise<string>
}

const BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30]

export function makeMetrics(
  health: Health,
  operation: () => Promise<OperationReport>,
  certificates: ReadonlyMap<string, CertificateFacts>,
): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  // Sums of others, under names that only a counter may have.
  for (const name of ['handles', 'requests', 'resources']) registry.removeSingleMetric(`nodejs_active_${name}_total`)
  const counted = countersIn(registry)
  const gauges = createGauges(registry)
  const setHealth = healthMetrics(gauges)
  const setOperation = operationMetrics(gauges)

  return {
    observe({ method, route, status, ms, code }) {
      counted.duration.observe({ method, route, status }, ms / 1000)
      if (code === 'minor-declared') counted.minors.inc()
      if (status === 500) counted.faults.inc()
    },
    shed: (shortage) => counted.shed.inc({ shortage }),
    async text() {
      const orUndefined = <T>(found: Promise<T>) => found.catch(() => undefined)
      const [workers, messengers, behindMs, lacking, report] = await Promise.all([
        orUndefined(health.workers()),
        orUndefined(health.messengers()),
        orUndefined(health.reconcilersBehindMs(Date.now())),
        orUndefined(health.lacking()),
        operation(),
      ])
      counted.storeFailures.reset()
      for (const cause of UNAVAILABLE_CAUSES) counted.storeFailures.inc({ cause }, health.storeUnavailable().get(cause) ?? 0)
      setHealth(health, { workers, messengers, behindMs, lacking })
      setOperation(report, certificates)
      return await registry.metrics()
    },
  }
}

function countersIn(registry: Registry) {
  const registers = [registry]
  const shed = new Counter({
    name: 'tabir_shed_total',
    help: 'Requests of programs refused because of overload, by what was short: the event loop, or workers for pictures.',
    labelNames: ['shortage'],
    registers,
  })
  for (const shortage of SHORTAGES) shed.inc({ shortage }, 0)
  return {
    shed,
    duration: new Histogram({
      name: 'tabir_http_request_duration_seconds',
      help: 'Time from the first byte of a request to the last byte of its response.',
      labelNames: ['method', 'route', 'status'],
      buckets: BUCKETS_S,
      registers,
    }),
    // The histogram has no series for status 500 before the first one, and nothing can rise from that.
    faults: new Counter({
      name: 'tabir_faults_total',
      help: 'Requests answered with 500, which are faults of Tabir.',
      registers,
    }),
    minors: new Counter({
      name: 'tabir_minors_rejected_total',
      help: 'Requests that declared a person under 18. Nothing else about them is stored.',
      registers,
    }),
    storeFailures: new Counter({
      name: 'tabir_store_unavailable_total',
      help: 'Redis commands that failed because the store was unavailable, by cause.',
      labelNames: ['cause'],
      registers,
    }),
  }
}
