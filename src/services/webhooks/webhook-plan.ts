// What happened, and who is told of it in which words: an entry of the outbox, or an event, becomes deliveries.

import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { CASE_EVENT_KINDS, toldCount } from '../../domain/cases/case-event.js'
import { formatUuid } from '../../domain/ids.js'
import type { RegisteredImage } from '../../domain/matching/signal.js'
import { WEBHOOK_EVENT_NAMES, type WebhookEvent, WITHDRAWN_SPREAD_MS } from '../../domain/organisations/webhook.js'
import { Problem } from '../../domain/problem.js'
import type { Cases } from '../../store/cases/cases.js'
import type { DeadlineStore } from '../../store/cases/deadlines.js'
import type { Images } from '../../store/images/images.js'
import type { ApiKeys } from '../../store/organisations/api-keys.js'
import type { Banks } from '../../store/organisations/banks.js'
import type { NewDelivery, OutboxEntry } from '../../store/webhooks/deliveries.js'
import type { Webhook, Webhooks } from '../../store/webhooks/webhooks.js'
import type { MatchIds } from '../matching/match-ids.js'
import type { PseudonymOf } from '../trust/pseudonyms.js'

/** One event, as one organisation is told of it. */
interface Told {
  readonly atMs: number
  /** Ids and words of ours, never hashes. */
  readonly data: Readonly<Record<string, string | number>>
  readonly dueAtMs?: number
  readonly imageId?: string
}

export interface PlanParts {
  readonly webhooks: Pick<Webhooks, 'readable' | 'ids' | 'get'>
  readonly images: Pick<Images, 'get'>
  readonly cases: Pick<Cases, 'get'>
  readonly banks: Pick<Banks, 'get'>
  readonly apiKeys: Pick<ApiKeys, 'get'>
  readonly deadlines: Pick<DeadlineStore, 'notice'>
  readonly matchIds: MatchIds
  readonly pseudonymOf: PseudonymOf
  /** Is this organisation to be told anything at all? */
  readonly isSubscribed: (orgId: string) => Promise<boolean>
  readonly now: () => number
}

/** What an entry asks for: deliveries to make, webhooks to look at although there is none, and webhooks that have to be told later. */
export interface Plan {
  readonly deliveries: readonly NewDelivery[]
  readonly wake: readonly string[]
  /** Ids of webhooks: something that is needed to tell them could not be read, or they wait for an older event about the same subject. */
  readonly waitsFor: readonly string[]
  /** What could not be read, or what else went wrong. */
  readonly causes: readonly unknown[]
}

type Field = (name: string) => string

const NOTHING: Plan = { deliveries: [], wake: [], waitsFor: [], causes: [] }
const NOBODY: ReadonlySet<string> = new Set()

/**
 * @param behind webhooks for which an older event about the same subject waits: this one waits as well.
 * @throws {Problem} store-unavailable. Whatever else goes wrong makes the entry wait; it is never given up.
 */
export type PlanOf = (entry: OutboxEntry, behind?: ReadonlySet<string>) => Promise<Plan>

export function webhookPlans(parts: PlanParts): PlanOf {
  return async (entry, behind = NOBODY) => {
    const field = fieldIn(entry)
    const kind = field('kind')
    if (kind === 'wake') return { ...NOTHING, wake: [field('endpoint')] }
    if (kind === 'webhook.ping') return await ping(parts, field('endpoint'), behind)
    const type = WEBHOOK_EVENT_NAMES.find((known) => known === kind)
    // Of the events, most are an operator's alone. The outbox has nothing but what webhooks are told: an unknown kind is a newer version's.
    if (type === undefined && isAnEvent(entry)) return NOTHING
    const { webhooks, unreadable } = await parts.webhooks.readable()
    const isMeant = (id: string) => entry.waitsFor === undefined || entry.waitsFor.includes(id)
    // What is for one organisation alone need not wait for another one's webhooks.
    const own = unreadable.size > 0 && entry.fields.has('org') ? await parts.webhooks.ids(field('org')) : undefined
    const closed = [...unreadable].filter(([id]) => isMeant(id) && own?.includes(id) !== false)
    const causes = closed.map(([, cause]) => cause)
    const later = closed.map(([id]) => id)
    if (type === undefined) {
      const all = [...later, ...webhooks.map(({ webhookId }) => webhookId).filter(isMeant)]
      return { ...NOTHING, waitsFor: all, causes: all.length === 0 ? [] : [new Error(UNKNOWN_KIND), ...causes] }
    }
    const wanting = webhooks.filter(
      ({ webhookId, isEnabled, events }) => isMeant(webhookId) && isEnabled && events.includes(type),
    )
    const may = await Promise.all(wanting.map(({ orgId }) => parts.isSubscribed(orgId)))
    const asking = wanting.filter((_, i) => may[i])
    const now = asking.filter(({ webhookId }) => !behind.has(webhookId))
    later.push(...asking.filter((webhook) => !now.includes(webhook)).map(({ webhookId }) => webhookId))
    if (now.length === 0) return { ...NOTHING, waitsFor: later, causes }
    try {
      const tell = await TELLERS[type](parts, entry, field)
      const subject = subjectOf(entry)
      const deliveries = now.flatMap((webhook) =>
        tell(webhook.orgId).map((told) => deliveryOf(webhook, type, subject, told)),
      )
      return { deliveries, wake: [], waitsFor: later, causes }
    } catch (error) {
      if (error instanceof Problem) throw error
      return { ...NOTHING, waitsFor: [...later, ...now.map(({ webhookId }) => webhookId)], causes: [...causes, error] }
    }
  }
}

const UNKNOWN_KIND = 'an event of a kind that this version does not know'

function fieldIn({ fields }: OutboxEntry): Field {
  return (name) => fields.get(name)?.toString('utf8') ?? ''
}

/** Is it from the stream of events, whose fields are others than those of the outbox? */
function isAnEvent({ source, fields }: OutboxEntry): boolean {
  return source === 'events' || (source === 'waiting' && fields.has('about'))
}

/** What an entry is about: what is about the same arrives in order. Needs nothing but the entry, so that its order is kept while it waits. */
export function subjectOf(entry: OutboxEntry): string {
  const field = fieldIn(entry)
  const { fields } = entry
  const image = fields.get('image')
  if (image?.length === 16) return `image ${formatUuid(image)}`
  if (fields.has('case')) return `case ${field('case')}`
  if (field('kind') === 'webhook.ping') return 'ping'
  const { signalId, keyId } = aboutOf(field) ?? {}
  if (signalId !== undefined) return `image ${signalId}`
  return keyId === undefined ? `entry ${entry.id}` : `key ${keyId}`
}

async function ping({ webhooks, now }: PlanParts, webhookId: string, behind: ReadonlySet<string>): Promise<Plan> {
  if (behind.has(webhookId)) return { ...NOTHING, waitsFor: [webhookId] }
  try {
    const webhook = await webhooks.get(webhookId)
    if (webhook === undefined) return NOTHING
    const told = { atMs: now(), data: { webhookId } }
    return { ...NOTHING, deliveries: [deliveryOf(webhook, 'webhook.ping', 'ping', told)] }
  } catch (error) {
    if (error instanceof Problem) throw error
    return { ...NOTHING, waitsFor: [webhookId], causes: [error] }
  }
}

/** Reads what there is to know about an entry once, then says what each organisation is told. */
type EventFormatter = (parts: PlanParts, entry: OutboxEntry, field: Field) => Promise<(orgId: string) => Told[]>

const TELLERS: Readonly<Record<WebhookEvent, EventFormatter>> = {
  async 'case.updated'(_, __, field) {
    const caseId = field('case')
    const event = CASE_EVENT_KINDS.find((known) => known === field('event'))
    if (event === undefined) return () => []
    const data = { caseId, event, ...toldCount(event, Number(field('count'))) }
    const told = { atMs: Number(field('atMs')), data }
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
    const told = { atMs: Number(field('atMs')), data, imageId }
    return (orgId) => (orgId === owner ? [told] : [])
  },

  async 'signal.withdrawn'({ matchIds, pseudonymOf }, { id, fields }, field) {
    const imageId = imageIdIn(fields)
    const pseudonyms = new Set(field('parties').split(' '))
    const atMs = Number.parseInt(field('entry') || id, 10) // one that waits has another id than when it happened
    const dueAtMs = atMs + Math.round(shareOf(pseudonymOf('withdrawn', imageId)) * WITHDRAWN_SPREAD_MS)
    return (orgId) => {
      if (!pseudonyms.has(pseudonymOf(orgId, imageId))) return []
      const data = { matchId: matchIds.idFor(orgId, imageId) }
      // The time of the message is when it is told: the time of the withdrawal is the same for all of a person's pictures.
      return [{ atMs: dueAtMs, data, dueAtMs }]
    }
  },

  async 'signal.disputed'(parts, { fields }, field) {
    const { images, matchIds, pseudonymOf } = parts
    const imageId = imageIdIn(fields)
    const [image] = await images.get([imageId])
    if (image === undefined) return () => []
    const owner = await ownerOf(parts, image)
    const met = new Set(field('parties').split(' '))
    const told = (data: Told['data']) => [{ atMs: Number(field('atMs')), data, imageId }]
    return (orgId) => {
      if (orgId === owner) return told({ signalId: imageId })
      return met.has(pseudonymOf(orgId, imageId)) ? told({ matchId: matchIds.idFor(orgId, imageId) }) : []
    }
  },

  async 'sla.due'({ images, deadlines, matchIds }, _, field) {
    const { signalId: imageId, orgId: platform, law, stage, dueAt } = aboutIn(field)
    if (imageId === undefined || law === undefined || stage === undefined || dueAt === undefined) return () => []
    const [image] = await images.get([imageId])
    const contact = image?.caseId === undefined ? undefined : (await deadlines.notice(image.caseId))?.contactOrgId
    const told = (ids: Told['data']) => [{ atMs: Number(field('atMs')), data: { ...ids, law, stage, dueAt }, imageId }]
    return (orgId) => {
      if (orgId === platform) return told({ matchId: matchIds.idFor(orgId, imageId) })
      return orgId === contact ? told({ signalId: imageId }) : []
    }
  },

  async 'key.suspended'({ apiKeys }, _, field) {
    const { keyId = '', orgId } = aboutIn(field)
    const owner = orgId ?? (await apiKeys.get(keyId))?.orgId
    return (asking) => (asking === owner ? [{ atMs: Number(field('atMs')), data: { keyId } }] : [])
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

function aboutIn(field: Field): z.infer<typeof About> {
  return About.parse(JSON.parse(field('about')))
}

function aboutOf(field: Field): z.infer<typeof About> | undefined {
  try {
    return aboutIn(field)
  } catch {
    return undefined // it is not of the events, or is none that can be read
  }
}

/**
 * 0…1, of a keyed digest: for one picture always the same. Were it drawn for each message, who has ten webhooks, or friends who have, would be told ten moments
 * of the same ten minutes, and with them when the withdrawal was, which is the same for all pictures of a case.
 */
function shareOf(digest: string): number {
  return Buffer.from(digest, 'base64url').readUInt32BE() / 2 ** 32
}

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

function deliveryOf({ webhookId }: Webhook, type: string, subject: string, told: Told): NewDelivery {
  const { atMs, data, dueAtMs, imageId } = told
  return {
    webhookId,
    // Random: from a digest of when it happened one could find out which events happened together.
    id: randomBytes(16).toString('base64url'),
    subjectQueue: createHash('sha256').update(subject).digest('base64url').slice(0, 22),
    type,
    body: JSON.stringify({ type, timestamp: new Date(atMs).toISOString(), data }),
    dueAtMs: dueAtMs ?? atMs,
    imageId,
  }
}
