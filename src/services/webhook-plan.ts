// What happened, and who is told of it in which words: an entry of the outbox, or an event, becomes deliveries.

import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { CASE_EVENT_KINDS, CASE_EVENTS, platformBucket } from '../domain/case-event.js'
import { formatUuid } from '../domain/ids.js'
import type { RegisteredImage } from '../domain/signal.js'
import { WEBHOOK_EVENT_NAMES, type WebhookEvent, WITHDRAWN_SPREAD_MS } from '../domain/webhook.js'
import type { ApiKeys } from '../store/api-keys.js'
import type { Banks } from '../store/banks.js'
import type { Cases } from '../store/cases.js'
import type { Clocks } from '../store/clocks.js'
import type { NewDelivery, OutboxEntry } from '../store/deliveries.js'
import type { Images } from '../store/images.js'
import type { Webhook, Webhooks } from '../store/webhooks.js'
import type { MatchIds } from './match-ids.js'
import type { PartyOf } from './parties.js'

/** One event, as one organisation is told of it. */
interface Told {
  /** Events about the same subject arrive in order. */
  readonly subject: string
  readonly atMs: number
  /** Ids and words of ours, never hashes. */
  readonly data: Readonly<Record<string, string | number>>
  readonly dueAtMs?: number
  readonly imageId?: string
}

export interface PlanParts {
  readonly webhooks: Pick<Webhooks, 'all' | 'get'>
  readonly images: Pick<Images, 'get'>
  readonly cases: Pick<Cases, 'get'>
  readonly banks: Pick<Banks, 'get'>
  readonly apiKeys: Pick<ApiKeys, 'get'>
  readonly clocks: Pick<Clocks, 'notice'>
  readonly matchIds: MatchIds
  readonly partyOf: PartyOf
  /** Is this organisation to be told anything at all? */
  readonly mayHear: (orgId: string) => Promise<boolean>
  readonly now: () => number
  /** 0…1 */
  readonly random: () => number
}

/** What an entry asks for: deliveries to make, and webhooks to look at although there is none. */
export interface Plan {
  readonly deliveries: readonly NewDelivery[]
  readonly wake: readonly string[]
}

type Field = (name: string) => string

export function webhookPlans(parts: PlanParts): (entry: OutboxEntry) => Promise<Plan> {
  return async (entry) => {
    const field: Field = (name) => entry.fields.get(name)?.toString('utf8') ?? ''
    const kind = field('kind')
    if (kind === 'wake') return { deliveries: [], wake: [field('endpoint')] }
    if (kind === 'webhook.ping') return await ping(parts, field('endpoint'))
    const type = WEBHOOK_EVENT_NAMES.find((known) => known === kind)
    if (type === undefined) return { deliveries: [], wake: [] }
    const wanting = (await parts.webhooks.all()).filter(({ isEnabled, events }) => isEnabled && events.includes(type))
    const may = await Promise.all(wanting.map(({ orgId }) => parts.mayHear(orgId)))
    const asking = wanting.filter((_, i) => may[i])
    if (asking.length === 0) return { deliveries: [], wake: [] }
    const tell = await TELLERS[type](parts, entry, field)
    const deliveries = asking.flatMap((webhook) => tell(webhook.orgId).map((told) => deliveryOf(webhook, type, told)))
    return { deliveries, wake: [] }
  }
}

async function ping({ webhooks, now }: PlanParts, webhookId: string): Promise<Plan> {
  const webhook = await webhooks.get(webhookId)
  if (webhook === undefined) return { deliveries: [], wake: [] }
  const told = { subject: 'ping', atMs: now(), data: { webhookId } }
  return { deliveries: [deliveryOf(webhook, 'webhook.ping', told)], wake: [] }
}

/** Reads what there is to know about an entry once, then says what each organisation is told. */
type Teller = (parts: PlanParts, entry: OutboxEntry, field: Field) => Promise<(orgId: string) => Told[]>

const TELLERS: Readonly<Record<WebhookEvent, Teller>> = {
  async 'case.updated'(_, __, field) {
    const caseId = field('case')
    const event = CASE_EVENT_KINDS.find((known) => known === field('event'))
    if (event === undefined) return () => []
    const counts = CASE_EVENTS[event]
    const data = {
      caseId,
      event,
      ...(counts === 'images' && { images: Number(field('count')) }),
      ...(counts === 'platforms' && { platforms: platformBucket(Number(field('count'))) }),
    }
    const told = { subject: `case ${caseId}`, atMs: Number(field('atMs')), data }
    return (orgId) => (orgId === field('org') ? [told] : [])
  },

  async 'match.found'({ matchIds }, { fields }, field) {
    const imageId = imageIdIn(fields)
    const owner = field('org')
    const data = {
      watchId: uuidIn(fields, 'watch'),
      matchId: matchIds.idFor(owner, imageId),
      grade: field('grade'),
    }
    const told = { subject: `image ${imageId}`, atMs: Number(field('atMs')), data, imageId }
    return (orgId) => (orgId === owner ? [told] : [])
  },

  async 'signal.withdrawn'({ matchIds, partyOf, random }, { id, fields }, field) {
    const imageId = imageIdIn(fields)
    const parties = new Set(field('parties').split(' '))
    const atMs = Number.parseInt(id, 10)
    return (orgId) => {
      if (!parties.has(partyOf(orgId, imageId))) return []
      const dueAtMs = atMs + Math.round(random() * WITHDRAWN_SPREAD_MS)
      const data = { matchId: matchIds.idFor(orgId, imageId) }
      // The time of the message is when it is told: the time of the withdrawal is the same for all of a person's pictures.
      return [{ subject: `image ${imageId}`, atMs: dueAtMs, data, dueAtMs }]
    }
  },

  async 'signal.disputed'(parts, { fields }, field) {
    const { images, matchIds, partyOf } = parts
    const imageId = imageIdIn(fields)
    const [image] = await images.get([imageId])
    if (image === undefined) return () => []
    const owner = await ownerOf(parts, image)
    const met = new Set(field('parties').split(' '))
    const told = (data: Told['data']) => [{ subject: `image ${imageId}`, atMs: Number(field('atMs')), data, imageId }]
    return (orgId) => {
      if (orgId === owner) return told({ signalId: imageId })
      return met.has(partyOf(orgId, imageId)) ? told({ matchId: matchIds.idFor(orgId, imageId) }) : []
    }
  },

  async 'sla.due'({ images, clocks, matchIds }, _, field) {
    const { signalId: imageId, orgId: platform, law, stage, dueAt } = About.parse(JSON.parse(field('about')))
    if (imageId === undefined || law === undefined || stage === undefined || dueAt === undefined) return () => []
    const [image] = await images.get([imageId])
    const contact = image?.caseId === undefined ? undefined : (await clocks.notice(image.caseId))?.contactOrgId
    const told = (ids: Told['data']) => [
      { subject: `image ${imageId}`, atMs: Number(field('atMs')), data: { ...ids, law, stage, dueAt }, imageId },
    ]
    return (orgId) => {
      if (orgId === platform) return told({ matchId: matchIds.idFor(orgId, imageId) })
      return orgId === contact ? told({ signalId: imageId }) : []
    }
  },

  async 'key.suspended'({ apiKeys }, _, field) {
    const { keyId = '', orgId } = About.parse(JSON.parse(field('about')))
    const owner = orgId ?? (await apiKeys.get(keyId))?.orgId
    return (asking) => (asking === owner ? [{ subject: `key ${keyId}`, atMs: Number(field('atMs')), data: { keyId } }] : [])
  },
}

const About = z.object({
  signalId: z.string().optional(),
  orgId: z.string().optional(),
  keyId: z.string().optional(),
  law: z.string().optional(),
  stage: z.string().optional(),
  dueAt: z.string().optional(),
})

/** The organisation that handed an image in, and may still be told of it. */
async function ownerOf({ banks, cases }: PlanParts, { bank, caseId }: RegisteredImage): Promise<string | undefined> {
  if (caseId === undefined) return (await banks.get(bank))?.orgId
  const assistance = (await cases.get(caseId))?.assistance
  const mayLook = assistance?.handedOverAtMs === undefined || assistance.keepsReading
  return mayLook ? assistance?.orgId : undefined
}

function imageIdIn(fields: OutboxEntry['fields']): string {
  return uuidIn(fields, 'image')
}

function uuidIn(fields: OutboxEntry['fields'], name: 'image' | 'watch'): string {
  const bytes = fields.get(name)
  if (bytes?.length !== 16) throw new Error('an entry of the outbox without its ids')
  return formatUuid(bytes)
}

function deliveryOf({ webhookId }: Webhook, type: string, told: Told): NewDelivery {
  const { subject, atMs, data, dueAtMs, imageId } = told
  return {
    webhookId,
    // Random: from a digest of when it happened one could find out which events happened together.
    id: randomBytes(16).toString('base64url'),
    lane: createHash('sha256').update(subject).digest('base64url').slice(0, 22),
    type,
    body: JSON.stringify({ type, timestamp: new Date(atMs).toISOString(), data }),
    dueAtMs: dueAtMs ?? atMs,
    imageId,
  }
}
