// A trace span for each job. Without a trace collector there is no tracer behind it, and the cost is negligible.

import { SpanStatusCode, trace } from '@opentelemetry/api'
import type { z } from 'zod'
import type { HashImageOutcome } from './hash-image-job.js'

type Handler = (data: unknown) => Promise<HashImageOutcome>

/** @param name of the queue. @param Job what its jobs have. */
export function traced(name: string, Job: z.ZodType<{ readonly purpose: string }>, handle: Handler): Handler {
  const tracer = trace.getTracer('tabir')
  return (data) =>
    tracer.startActiveSpan(name, async (span) => {
      try {
        const job = Job.safeParse(data)
        if (job.success) span.setAttribute('tabir.purpose', job.data.purpose)
        const outcome = await handle(data)
        span.setAttribute('tabir.outcome', outcome)
        return outcome
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR }) // without the error's message: it may contain a stranger's text
        throw error
      } finally {
        span.end()
      }
    })
}
