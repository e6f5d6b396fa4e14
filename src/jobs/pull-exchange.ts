// The contract between the clock, or an operator, and who pulls feeds. The job carries a name: what it stands for is in the operator's file.

import { z } from 'zod'

export const PULL_EXCHANGE_QUEUE = 'pull-exchange'
/** The same for what is taken out of other systems: the job names a reconciler. */
export const RECONCILE_QUEUE = 'reconcile'
export const PullExchangeJob = z.strictObject({ name: z.string().regex(/^[a-z0-9-]{1,40}$/) })
export type PullExchangeJob = z.infer<typeof PullExchangeJob>
