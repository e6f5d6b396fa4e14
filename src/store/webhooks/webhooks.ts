// Webhooks: where an organisation wants to be notified. Each is sealed as a whole, because an address often contains a secret.

import { z } from 'zod'
import type { AuditEntry } from '../../domain/organisations/audit.js'
import { MAX_WEBHOOKS_PER_ORG, WEBHOOK_EVENT_NAMES, type WebhookEvent } from '../../domain/organisations/webhook.js'
import { writeAudited } from '../audit/audit.js'
import type { Store } from '../redis/client.js'
import { createConflictRetry } from '../redis/conflict-retry.js'
import type { Arg } from '../redis/durable-writer.js'
import { keys } from '../redis/keys.js'
import { scanKeys } from '../redis/paging.js'
import { changeWebhook, pingWebhook, putWebhook, removeWebhook } from '../scripts/organisations/webhooks.js'
import type { Script } from '../scripts/script.js'
import { type Keyring, unlessDamaged } from '../sealing/seal.js'

export interface WebhookSecret {
  /** In the form of the Standard Webhooks specification: `whsec_` and base64. */
  readonly secret: string
  /** It also signs until then; `undefined` for the current secret. */
  readonly untilMs: number | undefined
}

export interface Webhook {
  readonly webhookId: string
  readonly orgId: string
  readonly url: string
  readonly events: readonly WebhookEvent[]
  readonly isEnabled: boolean
  readonly maxPerSecond: number
  /** The current secret first. */
  readonly secrets: readonly WebhookSecret[]
  readonly createdAtMs: number
}

/** Writes are durable when they return. An `entry` of the audit log is written in the same step. */
export interface Webhooks {
  /** @returns false when the organisation has as many as it may. */
  add(webhook: Webhook, entry?: AuditEntry): Promise<boolean>
  get(webhookId: string): Promise<Webhook | undefined>
  /** The webhooks of one organisation, oldest first, without damaged ones: of those the messenger tells the operator. */
  ofOrg(orgId: string): Promise<Webhook[]>
  /** All ids, or those of an organisation, including unreadable webhooks. */
  ids(orgId?: string): Promise<string[]>
  /** All readable webhooks, and the error of each unreadable one. Cost: one read, and some microseconds for each. */
  readable(): Promise<{ readonly webhooks: Webhook[]; readonly unreadable: ReadonlyMap<string, unknown> }>
  /** Reads, changes and writes; repeats when another process was first. @returns `undefined` when there is no such webhook. */
  change(webhookId: string, change: (webhook: Webhook) => Webhook, entry?: AuditEntry): Promise<Webhook | undefined>
  /** Removes a webhook with its deliveries. */
  remove(webhook: Pick<Webhook, 'webhookId' | 'orgId'>, entry?: AuditEntry): Promise<void>
  /** The id of its organisation, also of an unreadable webhook. Cost: looks at each organisation. */
  ownerOf(webhookId: string): Promise<string | undefined>
  /** Sends a test message. @returns whether there is such a webhook. */
  ping(webhookId: string): Promise<boolean>
}

const WebhookJson = z.object({
  orgId: z.string(),
  url: z.string(),
  // An event that only a newer version knows is left out here, and is lost when this version writes the webhook.
  events: z.array(z.string()).transform((names) => WEBHOOK_EVENT_NAMES.filter((known) => names.includes(known))),
  isEnabled: z.boolean(),
  maxPerSecond: z.int(),
  secrets: z.array(
    z
      .object({ secret: z.string(), untilMs: z.int().optional() })
      .transform(({ secret, untilMs }): WebhookSecret => ({ secret, untilMs })),
  ),
  createdAtMs: z.int(),
})

export function createWebhookStore(store: Store, keyring: Keyring): Webhooks {
  const seal = ({ webhookId, ...rest }: Webhook) =>
    keyring.seal(Buffer.from(JSON.stringify(rest)), webhookContext(webhookId))
  const open = (webhookId: string, sealed: Buffer): Webhook => ({
    webhookId,
    ...WebhookJson.parse(JSON.parse(keyring.unseal(sealed, webhookContext(webhookId)).toString('utf8'))),
  })
  const read = async (webhookId: string) => await store.ask((redis) => redis.hgetBuffer(keys.webhooks, webhookId))
  /** @returns 1 when the script changed something. */
  const write = async (entry: AuditEntry | undefined, script: Script, scriptKeys: readonly string[], args: readonly Arg[]) =>
    Number(
      await (entry === undefined
        ? store.write(script, scriptKeys, args)
        : writeAudited(store, entry, script, scriptKeys, args, 'reply == 1')),
    )
  const byAge = (all: Webhook[]) => all.sort((a, b) => a.createdAtMs - b.createdAtMs)

  return {
    async add(webhook, entry) {
      const { webhookId, orgId } = webhook
      const scriptKeys = [keys.webhooks, keys.orgWebhooks(orgId)]
      return (await write(entry, putWebhook, scriptKeys, [webhookId, seal(webhook), MAX_WEBHOOKS_PER_ORG])) === 1
    },
    async get(webhookId) {
      const sealed = await read(webhookId)
      return sealed === null ? undefined : open(webhookId, sealed)
    },
    async ofOrg(orgId) {
      const ids = await store.ask((redis) => redis.smembers(keys.orgWebhooks(orgId)))
      if (ids.length === 0) return []
      const sealed = await store.ask((redis) => redis.hmgetBuffer(keys.webhooks, ...ids))
      return byAge(
        ids.flatMap((id, i) => {
          const bytes = sealed[i]
          return (bytes && unlessDamaged(() => open(id, bytes))) ?? []
        }),
      )
    },
    ids: (orgId) =>
      store.ask((redis) => (orgId === undefined ? redis.hkeys(keys.webhooks) : redis.smembers(keys.orgWebhooks(orgId)))),
    async readable() {
      const found = await store.ask((redis) => redis.hgetallBuffer(keys.webhooks))
      const opened: Webhook[] = []
      const unreadable = new Map<string, unknown>()
      for (const [id, sealed] of Object.entries(found)) {
        try {
          opened.push(open(id, sealed))
        } catch (error) {
          unreadable.set(id, error)
        }
      }
      return { webhooks: byAge(opened), unreadable }
    },
    async change(webhookId, change, entry) {
      for (const retry = createConflictRetry(); ; await retry()) {
        const before = await read(webhookId)
        if (before === null) return undefined
        const after = change(open(webhookId, before))
        const reply = await write(entry, changeWebhook, [keys.webhooks], [webhookId, before, seal(after)])
        if (reply === 1) return after
      }
    },
    async remove({ webhookId, orgId }, entry) {
      await write(entry, removeWebhook, [keys.webhooks, keys.orgWebhooks(orgId)], [webhookId, keys.prefix])
    },
    async ownerOf(webhookId) {
      const stem = keys.orgWebhooks('')
      const sets = await scanKeys(store, `${stem}*`)
      const has = await store.ask((redis) => Promise.all(sets.map((set) => redis.sismember(set, webhookId))))
      return sets[has.indexOf(1)]?.slice(stem.length)
    },
    async ping(webhookId) {
      return (await store.write(pingWebhook, [keys.webhooks], [webhookId, keys.prefix])) !== null
    },
  }
}

/** The context that a webhook is sealed for. */
export function webhookContext(webhookId: string): Buffer {
  return Buffer.from(`webhook:${webhookId}`)
}
