// Runs the exchanges and reconcilers of the exchange file in this process, once started.

import { Problem } from '../domain/problem.js'
import { PULL_EXCHANGE_QUEUE, RECONCILE_QUEUE } from '../jobs/pull-exchange.js'
import type { Exchanges } from '../services/interop/exchanges.js'
import type { Reconcilers } from '../services/interop/reconcilers.js'
import type { ExchangeJobs } from './exchange-jobs.js'
import type { ServiceOptions } from './service-options.js'

/** Opens no queue if the file names nothing. */
export function createPulling(exchanges: Exchanges, reconcilers: Reconcilers, options: ServiceOptions) {
  const { redis: target, onError } = options
  let pulls: Promise<ExchangeJobs> | undefined
  let runs: Promise<ExchangeJobs> | undefined
  type Pulled = readonly { readonly name: string; readonly intervalS: number }[]
  const begin = (queueName: string, schedule: Pulled, run: (name: string) => Promise<unknown>) => {
    if (schedule.length === 0) return undefined
    const jobs = import('./exchange-jobs.js').then(({ exchangeJobs }) =>
      exchangeJobs({ target, queueName, run, schedule, onError }),
    )
    jobs.catch(onError)
    return jobs
  }
  return {
    start() {
      pulls = begin(PULL_EXCHANGE_QUEUE, options.exchanges ?? [], exchanges.pull)
      runs = begin(RECONCILE_QUEUE, options.reconcilers ?? [], reconcilers.run)
    },
    async pullSoon(name: string): Promise<void> {
      if (pulls === undefined) throw new Problem('exchange-unknown')
      await (await pulls).soon(name)
    },
    async close(): Promise<void> {
      await Promise.allSettled([pulls, runs].map(async (jobs) => (await jobs)?.close()))
    },
  }
}
