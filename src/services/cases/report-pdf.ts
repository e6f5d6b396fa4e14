// Draws reports in a separate thread, one at a time, so that matching does not wait for them.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { LanguageTag } from '../../domain/languages.js'
import { Problem } from '../../domain/problem.js'
import type { Report } from './report.js'

export interface ReportPrinter {
  /** @returns the PDF. @throws {Problem} overloaded when more than `MAX_WAITING` wait. @throws {Error} after `TIMEOUT_MS`. */
  print(report: Report, language: LanguageTag): Promise<Buffer>
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
      const pdf = last.then(() => drawn(report, language))
      last = pdf.catch(() => {})
      try {
        return await pdf
      } finally {
        waiting -= 1
      }
    },
  }
}

async function drawn(report: Report, language: LanguageTag): Promise<Buffer> {
  const thread = new Worker(THREAD, { workerData: { report, language }, execArgv: [], env: {}, name: 'report-pdf' })
  try {
    const [pdf] = await once(thread, 'message', { signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (!(pdf instanceof Uint8Array)) throw new Error('the report thread answered something else than bytes')
    return Buffer.from(pdf)
  } finally {
    await thread.terminate()
  }
}
