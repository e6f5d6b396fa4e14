// The contract between the clock, or an operator, and who pulls feeds. The job carries a name: what it stands for is in the operator's file.

import { z } from 'zod'

export const PULL_EXCHANGE_QUEUE = 'pull-exchange'
export const PullExchangeJob = z.strictObject({ name: z.string().regex(/^[a-z0-9-]{1,40}$/) })
export type PullExchangeJob = z.infer<typeof PullExchangeJob>
