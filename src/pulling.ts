// Other systems' feeds, pulled by this process from when it is started.

import { Problem } from './domain/problem.js'
import type { ExchangeJobs } from './exchange-jobs.js'
import type { Exchanges } from './services/exchanges.js'
import type { ServiceOptions } from './services.js'

/** Where no file names a feed, no queue is opened. */
export function pullingBy(exchanges: Exchanges, { exchanges: schedule = [], redis: target, onTrouble }: ServiceOptions) {
  let jobs: Promise<ExchangeJobs> | undefined
  return {
    start() {
      if (schedule.length === 0) return
      jobs = import('./exchange-jobs.js').then(({ pullExchanges }) =>
        pullExchanges({ target, exchanges, schedule, onTrouble }),
      )
      jobs.catch(onTrouble)
    },
    async pullSoon(name: string): Promise<void> {
      if (jobs === undefined) throw new Problem('exchange-unknown')
      await (await jobs).pullSoon(name)
    },
    async close(): Promise<void> {
      await jobs?.then(
        (opened) => opened.close(),
        () => {},
      )
    },
  }
}
