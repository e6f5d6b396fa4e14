// Jobs that pull a feed, scheduled or started by an operator. A job has the name of an exchange in the operator's file.

import { z } from 'zod'

export const PULL_EXCHANGE_QUEUE = 'pull-exchange'
/** Queue of jobs that remove withdrawn hashes from other systems. A job has the name of a reconciler. */
export const RECONCILE_QUEUE = 'reconcile'
export const PullExchangeJob = z.object({ name: z.string().regex(/^[a-z0-9-]{1,40}$/) })
export type PullExchangeJob = z.infer<typeof PullExchangeJob>
