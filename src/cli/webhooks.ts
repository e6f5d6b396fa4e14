// tabir webhooks list | remove

import { UUID_PATTERN } from '../../packages/core/src/ids.js'
import { messageOf } from '../domain/message-of.js'
import { createApiKeyStore } from '../store/organisations/api-keys.js'
import { createDeliveryStore } from '../store/webhooks/deliveries.js'
import { createWebhookStore } from '../store/webhooks/webhooks.js'
import { failed, instantOf, printJson } from './output.js'
import { type SealedStore, withSealedStore } from './sealed-store.js'

const USAGE = `tabir webhooks list
  tabir webhooks remove WEBHOOK`

/** @returns the exit status: 0; 1 on failure; 2 for wrong arguments */
export async function webhooks(args: readonly string[]): Promise<number> {
  const [verb, webhookId = '', ...rest] = args
  const work =
    verb === 'list' && args.length === 1
      ? list
      : verb === 'remove' && UUID_PATTERN.test(webhookId) && rest.length === 0
        ? (opened: SealedStore) => remove(opened, webhookId)
        : undefined
  if (work === undefined) return failed(USAGE, 2)
  try {
    const rows = await withSealedStore(work)
    if (rows === undefined) return failed('There is no such webhook.', 1)
    for (const row of rows) printJson(row)
    return 0
  } catch (error) {
    return failed(messageOf(error), 1)
  }
}

/** Shows only the origin of each URL: the path is often a secret of the receiver. */
async function list({ store, keyring }: SealedStore): Promise<readonly object[]> {
  const apiKeys = createApiKeyStore(store)
  const deliveries = createDeliveryStore(store)
  const { webhooks, unreadable } = await createWebhookStore(store, keyring).readable()
  const opened = await Promise.all(
    webhooks.map(async ({ webhookId, orgId, url, events, isEnabled, createdAtMs }) => {
      const { failures, failingSinceMs, missedSinceMs } = await deliveries.health(webhookId)
      return {
        webhookId,
        org: (await apiKeys.org(orgId))?.name,
        to: new URL(url).origin,
        events: events.join(','),
        enabled: isEnabled,
        createdAt: instantOf(createdAtMs),
        failures,
        failingSince: instantOf(failingSinceMs),
        missedSince: instantOf(missedSinceMs),
      }
    }),
  )
  return [...opened, ...[...unreadable.keys()].map((webhookId) => ({ webhookId, unreadable: true }))]
}

async function remove({ store, keyring }: SealedStore, webhookId: string): Promise<readonly object[] | undefined> {
  const all = createWebhookStore(store, keyring)
  const orgId = await all.ownerOf(webhookId) // do not open the record: one that cannot be opened may be the reason to remove it
  if (orgId === undefined) return undefined
  await all.remove({ webhookId, orgId }, { act: 'webhook.removed', by: 'operator', about: { webhookId }, atMs: Date.now() })
  return [{ webhookId, removed: true }]
}
