// Has reports drawn in a thread of their own, one after the other: matches must not wait for a page.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ReportLanguage } from '../../domain/cases/report-words.js'
import { Problem } from '../../domain/problem.js'
import type { Report } from './report.js'

export interface ReportPrinter {
  /** @throws {Problem} overloaded when too many wait. */
  print(report: Report, language: ReportLanguage): Promise<Buffer>
}

const MAX_WAITING = 20
const RETRY_AFTER_S = 5
const TIMEOUT_MS = 60_000
const THREAD = new URL('./report-pdf-thread.js', import.meta.url)

export function reportPrinter(): ReportPrinter {
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()
  return {
    async print(report, language) {
      if (waiting >= MAX_WAITING) throw new Problem('overloaded', { retryAfterS: RETRY_AFTER_S })
      waiting += 1
      const turn = last.then(() => drawn(report, language))
      last = turn.catch(() => {})
      try {
        return await turn
      } finally {
        waiting -= 1
      }
    },
  }
}

async function drawn(report: Report, language: ReportLanguage): Promise<Buffer> {
  const thread = new Worker(THREAD, { workerData: { report, language }, execArgv: [], env: {}, name: 'report-pdf' })
  try {
    const [pdf] = await once(thread, 'message', { signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (!(pdf instanceof Uint8Array)) throw new Error('a report is bytes')
    return Buffer.from(pdf)
  } finally {
    await thread.terminate()
  }
}
