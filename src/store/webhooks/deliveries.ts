// Deliveries to webhooks: which wait, which were tried, and their outcome.

import { z } from 'zod'
import {
  DELIVERY_LIMITS,
  DELIVERY_STATES,
  type DeliveryLimits,
  type DeliveryState,
  KEPT_FOR_MS,
  MAX_IN_FLIGHT,
  MAX_PAUSE_MS,
  MAX_WAIT_MS,
  pauseMs,
} from '../../domain/organisations/webhook.js'
import type { PageCursor } from '../../domain/page-cursor.js'
import { Problem } from '../../domain/problem.js'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { cursorOf, lastPageOfSorted } from '../redis/paging.js'
import { fanOut, holdOutbox } from '../scripts/organisations/outbox.js'
import {
  claimDeliveries,
  pauseEndpoint,
  replayDelivery,
  settleDelivery,
  tellMissed,
} from '../scripts/organisations/webhooks.js'
import { type EndpointStates, endpointStatesIn } from './endpoint-states.js'

export interface NewDelivery {
  readonly webhookId: string
  /** The id that the receiver sees. */
  readonly id: string
  /** A digest of what the delivery is about. Deliveries about one subject arrive in the order in which they were made. */
  readonly subject: string
  readonly type: string
  /** JSON, exactly as it is signed and sent. */
  readonly body: string
  readonly dueAtMs: number
  /** When set, the delivery is void unless this image still matches when it is sent. */
  readonly imageId: string | undefined
  /** When set, the delivery is void unless its receiver may still learn of this case when it is sent. */
  readonly caseId: string | undefined
}

export interface Delivery {
  readonly id: string
  readonly type: string
  readonly state: DeliveryState
  readonly body: string
  /** When it became due for the first time. */
  readonly createdAtMs: number
  readonly attempts: number
  readonly firstAttemptAtMs: number | undefined
  readonly lastAttemptAtMs: number | undefined
  readonly nextAttemptAtMs: number | undefined
  /** HTTP status of the last try. */
  readonly status: number | undefined
  readonly failure: string | undefined
  readonly imageId: string | undefined
  readonly caseId: string | undefined
}

/** The outcome of one try. `failure` is undefined when the receiver accepted it, or when there was nothing to send. */
export interface Settlement {
  readonly state: DeliveryState
  readonly nextAttemptAtMs?: number | undefined
  readonly status?: number | undefined
  readonly failure?: string | undefined
  /** Nothing was sent for a reason on our side. It counts neither as a try nor as a failure of the webhook. */
  readonly isOurs?: boolean
}

export interface Claimed {
  readonly ids: readonly string[]
  /** When to ask again; `undefined` when nothing waits. */
  readonly againAtMs: number | undefined
  /** Set when the webhook has to be told first, by `tellMissed`, that it missed events since then. Nothing is claimed in that case. */
  readonly missedSinceMs: number | undefined
}

export interface OutboxEntry {
  readonly source: 'outbox' | 'events' | 'waiting'
  readonly id: string
  /** Of a waiting entry: the ids of the webhooks that still have to be told. */
  readonly waitsFor?: readonly string[]
  /** Field → its bytes. Some are ids [16 bytes]. */
  readonly fields: ReadonlyMap<string, Buffer>
}

export interface DeliveriesAsk {
  readonly after: PageCursor | undefined
  readonly limit: number
}

export interface DeliveryPage {
  readonly deliveries: readonly Delivery[]
  /** The cursor of the next page; `undefined` at the end. */
  readonly next: PageCursor | undefined
}

export interface Deliveries extends EndpointStates {
  /**
   * Acquires or renews the lease on the outbox, for `ttlMs`. Only its holder turns the outbox into deliveries.
   * @returns `taken` when this process did not hold it until now: what it has in memory may be out of date. `undefined` when another one holds it.
   */
  hold(token: string, ttlMs: number): Promise<'taken' | 'kept' | undefined>
  /** The id of the last event that was turned into deliveries. */
  eventCursor(): Promise<string>
  /**
   * Turns an entry into deliveries and removes it, all or nothing.
   * @param waitsFor ids of webhooks that cannot be told of it yet. The entry is kept for them; `createWaitingEventStore` reads it.
   * @returns how many were made; `undefined` when this process no longer holds the outbox.
   */
  make(
    token: string,
    entry: OutboxEntry,
    deliveries: readonly NewDelivery[],
    waitsFor?: readonly string[],
  ): Promise<number | undefined>
  /** Claims the deliveries that may be sent now, for `leaseMs`. */
  claim(
    webhookId: string,
    limits: { readonly leaseMs: number; readonly maxPerSecond: number },
    nowMs: number,
  ): Promise<Claimed>
  /** Makes the message about all events that were missed since `sinceMs`, the value of a claim. Durable when it returns. */
  tellMissed(
    webhookId: string,
    message: { readonly id: string; readonly body: string },
    sinceMs: number,
    nowMs: number,
  ): Promise<void>
  /** Records the outcome of a try. Durable when it returns. A failing webhook is paused, longer after each failure in a row. */
  settle(webhookId: string, id: string, settlement: Settlement, nowMs: number): Promise<void>
  get(webhookId: string, id: string): Promise<Delivery | undefined>
  /** A page of the deliveries that are due by now and in one of `states`, the newest first. */
  list(webhookId: string, states: readonly DeliveryState[], ask: DeliveriesAsk, nowMs: number): Promise<DeliveryPage>
  /** Sends a delivery once more. @returns whether there is one that can be sent again. */
  replay(webhookId: string, id: string, nowMs: number): Promise<boolean>
}

const Moment = z.preprocess((text) => (text === '' ? undefined : text), z.coerce.number().optional())
const DeliveryFields = z
  .object({
    type: z.string(),
    state: z.enum(DELIVERY_STATES),
    body: z.string(),
    createdAtMs: z.coerce.number(),
    attempts: z.coerce.number(),
    firstAttemptAtMs: Moment,
    lastAttemptAtMs: Moment,
    nextAttemptAtMs: Moment,
    status: Moment,
    failure: z.preprocess((text) => (text === '' ? undefined : text), z.string().optional()),
    imageId: z.string().optional(),
    caseId: z.string().optional(),
  })
  .transform(
    ({ firstAttemptAtMs, lastAttemptAtMs, nextAttemptAtMs, status, failure, imageId, caseId, ...rest }) =>
      ({
        ...rest,
        ...{ firstAttemptAtMs, lastAttemptAtMs, status, failure, imageId, caseId },
        nextAttemptAtMs: rest.state === 'waiting' ? nextAttemptAtMs : undefined,
      }) satisfies Omit<Delivery, 'id'>,
  )

/** The cursor before the first event. */
const FIRST_EVENT = '0-0'
const AT_ONCE = 200
/** The oldest are removed beyond it. Only events for webhooks with unreadable records wait; all other webhooks go on. */
export const MAX_WAITING_EVENTS = 250_000

export function createDeliveryStore(store: Store, limits: DeliveryLimits = DELIVERY_LIMITS): Deliveries {
  return { ...makingIn(store, limits), ...sendingIn(store), ...listsIn(store), ...endpointStatesIn(store) }
}

/** Reading and listing deliveries, and sending one again. */
function listsIn(store: Store): Pick<Deliveries, 'get' | 'list' | 'replay'> {
  const get = async (webhookId: string, id: string) => {
    const fields = await store.ask((redis) => redis.hgetall(keys.webhookDelivery(webhookId, id)))
    return Object.keys(fields).length === 0 ? undefined : { id, ...DeliveryFields.parse(fields) }
  }

  /** An unreadable delivery is left out of lists. The operator learns of it when it is to be sent. */
  const readable = (webhookId: string, id: string) =>
    get(webhookId, id).catch((error: unknown) => {
      if (error instanceof Problem) throw error
      return undefined
    })

  return {
    get,
    async list(webhookId, states, { after, limit }, nowMs) {
      const deliveries: Delivery[] = []
      for (let from = after; ; ) {
        const page = await lastPageOfSorted(store, keys.webhookDeliveries(webhookId), {
          to: nowMs,
          after: from,
          limit: AT_ONCE,
        })
        const found = await Promise.all(page.map(({ member }) => readable(webhookId, member.toString('utf8'))))
        for (const [i, entry] of page.entries()) {
          const delivery = found[i]
          from = cursorOf(entry)
          if (delivery !== undefined && states.includes(delivery.state)) deliveries.push(delivery)
          if (deliveries.length === limit) return { deliveries, next: from }
        }
        if (page.length < AT_ONCE) return { deliveries, next: undefined }
      }
    },
    async replay(webhookId, id, nowMs) {
      const reply = await store.write(
        replayDelivery,
        [
          keys.webhooks,
          keys.webhookSubjectQueues(webhookId),
          keys.webhookDelivery(webhookId, id),
          keys.webhookHealth(webhookId),
        ],
        [webhookId, id, keys.prefix, nowMs],
      )
      return reply !== null
    },
  }
}

/** Turns the outbox into deliveries. */
function makingIn(store: Store, limits: DeliveryLimits): Pick<Deliveries, 'hold' | 'eventCursor' | 'make'> {
  return {
    async hold(token, ttlMs) {
      const reply = Number(await store.write(holdOutbox, [keys.webhookOutboxHolder], [token, ttlMs]))
      return reply === 2 ? 'taken' : reply === 1 ? 'kept' : undefined
    },
    async eventCursor() {
      return (await store.ask((redis) => redis.get(keys.webhookEventCursor))) ?? FIRST_EVENT
    },
    async make(token, { source, id, fields }, deliveries, waitsFor = []) {
      const given = source === 'waiting' || waitsFor.length === 0 ? [] : [...fields].flat()
      const reply = await store.write(
        fanOut,
        [
          ...[keys.webhookOutboxHolder, keys.webhookOutbox, keys.webhookEventCursor, keys.webhooks],
          ...[keys.webhookWaiting, keys.webhookWaitingFor],
        ],
        [
          ...[token, source, id, keys.prefix, waitsFor.join(' '), MAX_WAITING_EVENTS],
          ...[limits.deliveries, limits.withdrawals, limits.ofSubject, given.length],
          ...given,
          ...deliveries.flatMap((delivery) => [
            ...[delivery.webhookId, delivery.id, delivery.subject, delivery.type, delivery.body, delivery.dueAtMs],
            ...[delivery.imageId ?? '', delivery.caseId ?? ''],
          ]),
        ],
      )
      return Number(reply) === -1 ? undefined : Number(reply)
    },
  }
}

function sendingIn(store: Store): Pick<Deliveries, 'claim' | 'tellMissed' | 'settle'> {
  const placesOf = (webhookId: string) => [
    keys.webhooks,
    keys.webhookSubjectQueues(webhookId),
    keys.webhookLeases(webhookId),
    keys.webhookHealth(webhookId),
  ]
  return {
    async claim(webhookId, { leaseMs, maxPerSecond }, nowMs) {
      const args = [webhookId, nowMs, leaseMs, MAX_IN_FLIGHT, maxPerSecond, keys.prefix, MAX_PAUSE_MS, MAX_WAIT_MS]
      const reply = await store.write(claimDeliveries, placesOf(webhookId), args)
      const [again = '', since = '', ...ids] = Array.isArray(reply) ? reply.map(String) : []
      const timeOf = (text: string) => (text === '' ? undefined : Number(text))
      return { ids, againAtMs: timeOf(again), missedSinceMs: timeOf(since) }
    },
    async tellMissed(webhookId, { id, body }, sinceMs, nowMs) {
      const places = [keys.webhooks, keys.webhookSubjectQueues(webhookId), keys.webhookMissed]
      await store.write(tellMissed, places, [webhookId, id, keys.prefix, nowMs, sinceMs, body])
    },
    async settle(webhookId, id, { state, nextAttemptAtMs, status, failure, isOurs = false }, nowMs) {
      const keptForMs = state === 'waiting' ? '' : KEPT_FOR_MS[state]
      const outcome = [state, nextAttemptAtMs ?? '', status ?? '', failure ?? '', keptForMs, isOurs ? 'ours' : '']
      const args = [webhookId, id, keys.prefix, nowMs, ...outcome]
      const failures = Number(await store.write(settleDelivery, placesOf(webhookId), args))
      if (failures < 1) return
      const untilMs = nowMs + pauseMs(failures)
      await store.write(pauseEndpoint, [keys.webhooks, keys.webhookHealth(webhookId)], [webhookId, untilMs])
    },
  }
}
