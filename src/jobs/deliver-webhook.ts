// The contract between who makes deliveries and who sends them. A job names a webhook to look at: what waits for it stands in the store.

import { z } from 'zod'

export const DELIVER_WEBHOOK_QUEUE = 'deliver-webhook'
export const DeliverWebhookJob = z.strictObject({ webhookId: z.uuid() })
export type DeliverWebhookJob = z.infer<typeof DeliverWebhookJob>

/** Webhooks looked at together: they wait for others most of the time, and one that hangs must not keep the rest waiting. */
export const WEBHOOKS_AT_ONCE = 200
