// A bank of somebody's HMA, through the guard: what is in it, and out with it.

import { randomBytes } from 'node:crypto'
import type { ReconcileFailure } from '../../domain/organisations/reconciler.js'
import {
  type HmaConfig,
  type HmaContent,
  type HmaRequest,
  type HmaRequests,
  hmaExchangeRequests,
} from '../../exchange/hma-requests.js'
import { type Outgoing, OutgoingError } from '../../net/outgoing.js'

export class ReconcileError extends Error {
  readonly failure: ReconcileFailure
  constructor(failure: ReconcileFailure) {
    super(failure)
    this.name = 'ReconcileError'
    this.failure = failure
  }
}

/** All of it throws {@link ReconcileError} when there is no usable answer. */
export interface HmaBank {
  /** An id that is newer than that of anything that was put there before. */
  newest(): Promise<number>
  /** `undefined` when there is none of this id. */
  look(id: number): Promise<HmaContent | undefined>
  /** Nothing of this id matches any more. Twice changes nothing. */
  remove(id: number, content: HmaContent): Promise<void>
}

const TIMEOUT_MS = 30_000
const MAX_ANSWER_BYTES = 1 << 20
const ASKED_AT_ONCE = 8
/** Exchanges of one HMA. With more, it is no HMA. */
const MAX_EXCHANGES = 1000

/** How long the whole run may still take: nobody waits for an answer longer. */
export type LeftMs = () => number

/** Banks that exchanges of StopNCII's kind fill. @throws {ReconcileError} bank-not-of-an-exchange where there is none */
export async function banksPullingFrom(outgoing: Outgoing, hma: HmaConfig, leftMs: LeftMs): Promise<string[]> {
  const { get } = askingThrough(outgoing, leftMs)
  const requests = hmaExchangeRequests(hma)
  const names = usable(requests.namesIn(await get(requests.names())))
  if (names.length > MAX_EXCHANGES) throw new ReconcileError('answer-unreadable')
  const banks: string[] = []
  for (const name of names) {
    if (leftMs() <= 0) throw new ReconcileError('unreachable')
    const exchange = await get(requests.exchange(name))
    if (exchange !== undefined && usable(requests.isFeeding(exchange))) banks.push(name) // else it was removed meanwhile
  }
  if (banks.length === 0) throw new ReconcileError('bank-not-of-an-exchange')
  return banks
}

export function createHmaBank(outgoing: Outgoing, requests: HmaRequests, leftMs: LeftMs): HmaBank {
  const { ask, get } = askingThrough(outgoing, leftMs)
  return {
    async newest() {
      const mark = requests.mark(randomBytes(32).toString('hex'))
      let added = await get(mark)
      if (added === undefined) {
        await ask(requests.makeMarkBank()) // 403 when somebody else was faster
        added = await get(mark)
      }
      const id = usable(requests.markIn(added))
      await get(requests.removeMark(id))
      return id
    },
    async look(id) {
      const found = await get(requests.content(id))
      return found === undefined ? undefined : usable(requests.contentIn(found))
    },
    async remove(id, content) {
      if (content === 'mark') return void (await get(requests.removeMark(id)))
      const answer = await get(requests.remove(id))
      // HMA before 1.1 keeps what was imported; then it is switched off.
      if (
        answer !== undefined &&
        usable(requests.removedIn(answer)) === 0 &&
        (await get(requests.content(id))) !== undefined
      )
        await get(requests.switchOff(id))
    },
  }
}

function askingThrough(outgoing: Outgoing, leftMs: LeftMs) {
  async function ask(request: HmaRequest): Promise<{ readonly status: number; readonly json: unknown }> {
    try {
      const timeoutMs = Math.max(1, Math.min(TIMEOUT_MS, leftMs()))
      const { status, body } = await outgoing({ ...request, timeoutMs, maxAnswerBytes: MAX_ANSWER_BYTES })
      if (status === 401 || status === 403) return { status, json: undefined }
      if (status >= 500 || status === 429) throw new ReconcileError('unreachable')
      return { status, json: parsed(body) }
    } catch (error) {
      if (error instanceof OutgoingError) throw new ReconcileError('unreachable')
      throw error
    }
  }
  /** @returns the answer; `undefined` for 404. */
  async function get(request: HmaRequest): Promise<unknown> {
    const { status, json } = await ask(request)
    if (status === 401 || status === 403) throw new ReconcileError('not-let-in')
    if (status === 404) return undefined
    if (status !== 200 || json === undefined) throw new ReconcileError('answer-unreadable')
    return json
  }
  return { ask, get }
}

function usable<T>(read: T | undefined): T {
  if (read === undefined) throw new ReconcileError('answer-unreadable')
  return read
}

/** Asks about all of these, a few at once. */
export async function runCooperatively<A, B>(all: readonly A[], each: (one: A) => Promise<B>): Promise<B[]> {
  const done: B[] = []
  for (let at = 0; at < all.length; at += ASKED_AT_ONCE)
    done.push(...(await Promise.all(all.slice(at, at + ASKED_AT_ONCE).map(each))))
  return done
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
