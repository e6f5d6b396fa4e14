// The findings of a run, and how they are reported.

import { z } from 'zod'

export interface Findings {
  /** Acknowledged and missing: described without hashes. */
  readonly lost: string[]
  /** Answers that cannot be true, and answers that no fault may cause. */
  readonly wrong: string[]
  /** Places where something of a picture was found. */
  readonly traces: string[]
  /** Requests without an answer. */
  readonly hung: string[]
  /** Processes that ended by themselves. */
  readonly crashes: string[]
  /** Per fault: its name, and how long after its end every request was answered again. */
  readonly recoveries: { readonly fault: string; readonly readyMs: number }[]
}

export interface Report {
  readonly faults: number
  readonly acknowledged: number
  readonly lost: number
  readonly wrongAnswers: number
  readonly imageBytesFound: number
  readonly hung: number
  readonly readyMsP99: number
}

export function noFindings(): Findings {
  return { lost: [], wrong: [], traces: [], hung: [], crashes: [], recoveries: [] }
}

export function reportOf({ lost, wrong, traces, hung, crashes, recoveries }: Findings, acknowledged: number): Report {
  const sorted = recoveries.map(({ readyMs }) => readyMs).sort((a, b) => a - b)
  return {
    faults: recoveries.length,
    acknowledged,
    lost: lost.length,
    wrongAnswers: wrong.length + crashes.length,
    imageBytesFound: traces.length,
    hung: hung.length,
    readyMsP99: Math.round(sorted[Math.ceil(0.99 * sorted.length) - 1] ?? 0),
  }
}

const UnexpectedLine = z.object({
  msg: z.literal('unexpected'),
  err: z.object({ message: z.string(), stack: z.string().optional() }),
})

/** The errors behind answers of 500, from the log of a process: without them a rare one cannot be explained afterwards. */
export function unexpectedErrors(name: string, output: readonly string[]): string[] {
  return output
    .join('')
    .split('\n')
    .filter((line) => line.includes('"unexpected"'))
    .flatMap((line) => {
      try {
        const { err } = UnexpectedLine.parse(JSON.parse(line))
        return [`${name} logged ${err.stack ?? err.message}`]
      } catch {
        return [] // another line, or one cut off by a kill
      }
    })
}
