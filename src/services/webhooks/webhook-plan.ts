// Turns an entry of the outbox, or an event, into deliveries: which organisations are notified, and with what body.

import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { formatUuid } from '../../../packages/core/src/ids.js'
import { durationSOf, type RegisteredFacts } from '../../../packages/core/src/matching/signal.js'
import { organisationMay } from '../../domain/cases/assistance.js'
import { CASE_EVENT_KINDS, publicCount } from '../../domain/cases/case-event.js'
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
import { durationView } from '../records/duration.js'
import type { PseudonymOf } from '../trust/pseudonyms.js'

/** One event as one organisation receives it. */
interface EventMessage {
  readonly atMs: number
  /** Ids and fixed words, never hashes. */
  readonly data: Readonly<Record<string, string | number>>
  /** When to send it; `atMs` if omitted. */
  readonly dueAtMs?: number
  /** Discard the message once this image no longer matches. */
  readonly imageId?: string
  /** Discard the message once its receiver may no longer learn of this case. */
  readonly caseId?: string | undefined
}

export interface PlanParts {
  readonly webhooks: Pick<Webhooks, 'readable' | 'ids' | 'get'>
  readonly images: Pick<Images, 'facts'>
  readonly cases: Pick<Cases, 'get'>
  readonly banks: Pick<Banks, 'get'>
  readonly apiKeys: Pick<ApiKeys, 'get'>
  readonly deadlines: Pick<DeadlineStore, 'notice'>
  readonly matchIds: MatchIds
  readonly pseudonymOf: PseudonymOf
  /** Whether this organisation may receive webhooks at all. */
  readonly isSubscribed: (orgId: string) => Promise<boolean>
  readonly now: () => number
}

/** The outcome for an entry: deliveries to add, webhooks to wake without a new delivery, and webhooks that are planned later. */
export interface Plan {
  readonly deliveries: readonly NewDelivery[]
  readonly wake: readonly string[]
  /** Ids of webhooks whose deliveries are planned later: data could not be read, or an older event about the same subject waits. */
  readonly waitsFor: readonly string[]
  /** Errors, for the operator. */
  readonly causes: readonly unknown[]
}

type Field = (name: string) => string

const NOTHING: Plan = { deliveries: [], wake: [], waitsFor: [], causes: [] }
const NOBODY: ReadonlySet<string> = new Set()

/**
 * Plans one entry.
 * @param behind ids of webhooks for which an older event about the same subject waits; this event must wait as well.
 * @throws {Problem} store-unavailable. Any other error makes the entry wait; entries are never dropped.
 */
export type PlanOf = (entry: OutboxEntry, behind?: ReadonlySet<string>) => Promise<Plan>

export function webhookPlans(parts: PlanParts): PlanOf {
  return async (entry, behind = NOBODY) => {
    const field = fieldIn(entry)
    const kind = field('kind')
    if (kind === 'wake') return { ...NOTHING, wake: [field('endpoint')] }
    if (kind === 'webhook.ping') return await ping(parts, field('endpoint'), behind)
    const type = WEBHOOK_EVENT_NAMES.find((known) => known === kind)
    // Most events are for operators only. The outbox holds only webhook events, so an unknown kind there was written by a newer version.
    if (type === undefined && isAnEvent(entry)) return NOTHING
    const { webhooks, unreadable } = await parts.webhooks.readable()
    const isMeant = (id: string) => entry.waitsFor === undefined || entry.waitsFor.includes(id)
    // An entry for one organisation need not wait for unreadable webhooks of others.
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
      const messagesFor = await EVENT_FORMATTERS[type](parts, entry, field)
      const subject = subjectOf(entry)
      const deliveries = now.flatMap((webhook) =>
        messagesFor(webhook.orgId).map((message) => deliveryOf(webhook, type, subject, message)),
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

/** Whether the entry is from the stream of events. Its fields differ from those of the outbox. */
function isAnEvent({ source, fields }: OutboxEntry): boolean {
  return source === 'events' || (source === 'waiting' && fields.has('about'))
}

/** The subject of an entry: deliveries about one subject arrive in order. Derived only from the entry, so it stays the same while the entry waits. */
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
    const message = { atMs: now(), data: { webhookId } }
    return { ...NOTHING, deliveries: [deliveryOf(webhook, 'webhook.ping', 'ping', message)] }
  } catch (error) {
    if (error instanceof Problem) throw error
    return { ...NOTHING, waitsFor: [webhookId], causes: [error] }
  }
}

/** Reads everything about an entry once. @returns a function that returns the messages for an organisation; none if it is not notified. */
type EventFormatter = (parts: PlanParts, entry: OutboxEntry, field: Field) => Promise<(orgId: string) => EventMessage[]>

const EVENT_FORMATTERS: Readonly<Record<WebhookEvent, EventFormatter>> = {
  async 'case.updated'(_, __, field) {
    const caseId = field('case')
    const event = CASE_EVENT_KINDS.find((known) => known === field('event'))
    if (event === undefined) return () => []
    const data = { caseId, event, ...publicCount(event, Number(field('count'))) }
    const message = { atMs: Number(field('atMs')), data, caseId }
    return (orgId) => (orgId === field('org') ? [message] : [])
  },

  async 'case.expires-soon'(_, __, field) {
    const caseId = field('case')
    const data = { caseId, expiresAt: new Date(Number(field('expiresAtMs'))).toISOString() }
    const message = { atMs: Number(field('atMs')), data, caseId }
    return (orgId) => (orgId === field('org') ? [message] : [])
  },

  async 'match.found'({ images, matchIds }, { fields }, field) {
    const imageId = imageIdIn(fields)
    const [image] = await images.facts([imageId])
    const owner = field('org')
    const data = {
      watchId: uuidIn(fields, 'watch'),
      matchId: matchIds.idFor(owner, imageId),
      grade: field('grade'),
      ...durationView(durationSOf(image?.video)),
    }
    const message = { atMs: Number(field('atMs')), data, imageId }
    return (orgId) => (orgId === owner ? [message] : [])
  },

  async 'signal.withdrawn'({ matchIds, pseudonymOf, now }, { id, fields }, field) {
    const imageId = imageIdIn(fields)
    const pseudonyms = new Set(field('pseudonyms').split(' '))
    // An entry that waited has a new id; `entry` holds the original one. After Redis's clock was ahead, ids stay ahead until the clock gets there.
    const atMs = Math.min(Number.parseInt(field('entry') || id, 10), now())
    const dueAtMs = atMs + Math.round(shareOf(pseudonymOf('withdrawn', imageId)) * WITHDRAWN_SPREAD_MS)
    return (orgId) => {
      if (!pseudonyms.has(pseudonymOf(orgId, imageId))) return []
      const data = { matchId: matchIds.idFor(orgId, imageId) }
      // The timestamp is the sending time. The time of the withdrawal would link all pictures of a case, because they share it.
      return [{ atMs: dueAtMs, data, dueAtMs }]
    }
  },

  async 'signal.disputed'(parts, { fields }, field) {
    const { images, matchIds, pseudonymOf } = parts
    const imageId = imageIdIn(fields)
    const [image] = await images.facts([imageId])
    if (image === undefined) return () => []
    const owner = await ownerOf(parts, image)
    const met = new Set(field('pseudonyms').split(' '))
    const messageWith = (ids: EventMessage['data'], caseId?: string) => [
      { atMs: Number(field('atMs')), data: { ...ids, ...durationView(durationSOf(image?.video)) }, imageId, caseId },
    ]
    return (orgId) => {
      if (orgId === owner) return messageWith({ signalId: imageId }, image.caseId)
      return met.has(pseudonymOf(orgId, imageId)) ? messageWith({ matchId: matchIds.idFor(orgId, imageId) }) : []
    }
  },

  async 'sla.due'({ images, deadlines, matchIds }, _, field) {
    const { signalId: imageId, orgId: platform, law, stage, dueAt } = aboutIn(field)
    if (imageId === undefined || law === undefined || stage === undefined || dueAt === undefined) return () => []
    const [image] = await images.facts([imageId])
    const caseId = image?.caseId
    const contact = caseId === undefined ? undefined : (await deadlines.notice(caseId))?.contactOrgId
    const data = { law, stage, dueAt, ...durationView(durationSOf(image?.video)) }
    const message = { atMs: Number(field('atMs')), imageId }
    return (orgId) => {
      if (orgId === platform) return [{ ...message, data: { matchId: matchIds.idFor(orgId, imageId), ...data } }]
      return orgId === contact ? [{ ...message, data: { signalId: imageId, ...data }, caseId }] : []
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
    return undefined // not an event, or an unreadable one
  }
}

/**
 * A number from 0 to 1 derived from a keyed digest, always the same for one picture. With a number per message, a receiver with many webhooks would
 * see many sending times of one withdrawal. It could infer when the withdrawal happened, and so which pictures belong to one case.
 */
function shareOf(digest: string): number {
  return Buffer.from(digest, 'base64url').readUInt32BE() / 2 ** 32
}

/** The organisation that registered an image; for an image of a case only if it may still read the case. */
async function ownerOf({ banks, cases }: PlanParts, { bank, caseId }: RegisteredFacts): Promise<string | undefined> {
  if (caseId === undefined) return (await banks.get(bank))?.orgId
  const assistance = (await cases.get(caseId))?.assistance
  return assistance === undefined || organisationMay(assistance) === 'nothing' ? undefined : assistance.orgId
}

function imageIdIn(fields: OutboxEntry['fields']): string {
  return uuidIn(fields, 'image')
}

function uuidIn(fields: OutboxEntry['fields'], name: 'image' | 'watch'): string {
  const bytes = fields.get(name)
  if (bytes?.length !== 16) throw new Error('an outbox entry lacks an id')
  return formatUuid(bytes)
}

function deliveryOf({ webhookId }: Webhook, type: string, subject: string, message: EventMessage): NewDelivery {
  const { atMs, data, dueAtMs, imageId, caseId } = message
  return {
    webhookId,
    // Random: an id derived from the event's time would reveal which events happened together.
    id: randomBytes(16).toString('base64url'),
    subject: createHash('sha256').update(subject).digest('base64url').slice(0, 22),
    type,
    body: JSON.stringify({ type, timestamp: new Date(atMs).toISOString(), data }),
    dueAtMs: dueAtMs ?? atMs,
    imageId,
    caseId,
  }
}
