// Jobs from the outbox to the messenger. A job names a webhook; its pending deliveries are in the store.

import { z } from 'zod'

export const DELIVER_WEBHOOK_QUEUE = 'deliver-webhook'
export const DeliverWebhookJob = z.object({ webhookId: z.uuid() })
export type DeliverWebhookJob = z.infer<typeof DeliverWebhookJob>

/** Webhooks that are delivered concurrently. Mostly they wait for other servers, and one that hangs must not delay the rest. */
export const WEBHOOKS_AT_ONCE = 200
