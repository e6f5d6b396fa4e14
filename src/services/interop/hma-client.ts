// Client for one bank of a platform's HMA: finds contents and removes them.

import { randomBytes } from 'node:crypto'
import { FailureError } from '../../domain/failure-error.js'
import type { ReconcileFailure } from '../../domain/organisations/reconciler.js'
import {
  type HmaConfig,
  type HmaContent,
  type HmaRequest,
  type HmaRequests,
  hmaExchangeRequests,
} from '../../exchange/hma-requests.js'
import { type Outgoing, OutgoingError } from '../../net/outgoing.js'

export class ReconcileError extends FailureError<ReconcileFailure> {}

/** Every method throws {@link ReconcileError} when there is no usable answer. */
export interface HmaBank {
  /** An id greater than the ids of all existing contents. */
  newest(): Promise<number>
  /** @returns the content; `undefined` when no content has this id. */
  look(id: number): Promise<HmaContent | undefined>
  /** Removes the content, or disables it where HMA cannot remove it. Idempotent. */
  remove(id: number, content: HmaContent): Promise<void>
}

const TIMEOUT_MS = 30_000
const MAX_ANSWER_BYTES = 1 << 20
/** An answer with more exchanges is not HMA's. */
const MAX_EXCHANGES = 1000

/** [ms] How long the run may still take. No request takes longer. */
export type LeftMs = () => number

/** The names of banks that exchanges of type `stop_ncii` fill. @throws {ReconcileError} bank-without-exchange where there is none */
export async function banksPullingFrom(outgoing: Outgoing, hma: HmaConfig, leftMs: LeftMs): Promise<string[]> {
  const { get } = askingThrough(outgoing, leftMs)
  const requests = hmaExchangeRequests(hma)
  const names = usable(requests.namesIn(await get(requests.names())))
  if (names.length > MAX_EXCHANGES) throw new ReconcileError('response-invalid')
  const banks: string[] = []
  for (const name of names) {
    if (leftMs() <= 0) throw new ReconcileError('unreachable')
    const exchange = await get(requests.exchange(name))
    if (exchange !== undefined && usable(requests.isFeeding(exchange))) banks.push(name) // else it was removed meanwhile
  }
  if (banks.length === 0) throw new ReconcileError('bank-without-exchange')
  return banks
}

export function createHmaBank(outgoing: Outgoing, requests: HmaRequests, leftMs: LeftMs): HmaBank {
  const { ask, get } = askingThrough(outgoing, leftMs)
  return {
    async newest() {
      const mark = requests.mark(randomBytes(32).toString('hex'))
      let added = await get(mark)
      if (added === undefined) {
        await ask(requests.makeMarkBank()) // 403 when another client made it first
        added = await get(mark)
      }
      const id = usable(requests.parseMark(added))
      await get(requests.removeMark(id))
      return id
    },
    async look(id) {
      const found = await get(requests.content(id))
      return found === undefined ? undefined : usable(requests.parseContent(found))
    },
    async remove(id, content) {
      if (content === 'mark') return void (await get(requests.removeMark(id)))
      const answer = await get(requests.remove(id))
      // HMA before 1.1 does not delete imported contents. They are disabled instead.
      if (
        answer !== undefined &&
        usable(requests.parseRemoved(answer)) === 0 &&
        (await get(requests.content(id))) !== undefined
      )
        await get(requests.disable(id))
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
    if (status === 401 || status === 403) throw new ReconcileError('credentials-rejected')
    if (status === 404) return undefined
    if (status !== 200 || json === undefined) throw new ReconcileError('response-invalid')
    return json
  }
  return { ask, get }
}

function usable<T>(read: T | undefined): T {
  if (read === undefined) throw new ReconcileError('response-invalid')
  return read
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
