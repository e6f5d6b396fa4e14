// Signals of a bank, submitted by NGOs, hotlines and partners, one by one or by the million.

import { Readable } from 'node:stream'
import { z } from 'zod'
import { parseHash } from '../../../packages/hash/src/hash256.js'
import { declaresMinor } from '../../domain/cases/minors.js'
import { SIGNAL_TYPES } from '../../domain/matching/signal-types.js'
import type { NewSignal } from '../../domain/organisations/bank-change.js'
import { Problem } from '../../domain/problem.js'
import type { Banks } from '../../services/banks/banks.js'
import type { Registration } from '../../services/intake/registration.js'
import type { EventLoopScheduler } from '../../services/load/event-loop-scheduler.js'
import { Declared } from '../declared-age.js'
import { isStream, readNdjson } from '../ndjson.js'
import { callerOf } from '../plugins/authentication.js'
import { may, problemBody } from '../problems.js'
import { type RegisteredSignal, RegisteredSignals, RegisteredSignalsAnswer } from '../registered-signals.js'
import { BankName } from '../schemas.js'
import type { ZodApp } from '../zod-app.js'
import { GivenSignal } from './bank-schemas.js'

const MAX_SIGNALS = 1000
const BATCH_LINES = 500

export interface BankRouteOptions {
  readonly banks: Banks
  readonly registration: Registration
  readonly scheduler: Pick<EventLoopScheduler, 'yielder'>
}

export function addSignalsRoute(app: ZodApp, { banks, registration, scheduler }: BankRouteOptions): void {
  app.post(
    '/banks/:bank/signals',
    {
      config: { scope: 'signals:write', ndjsonBody: true, writtenAnswer: true },
      schema: {
        operationId: 'addSignals',
        summary: 'Add signals to a bank',
        description:
          'JSON with up to 1,000 signals, or application/x-ndjson with one signal a line, without limit. A bad line is refused with its number; the other lines are added. Adding the same signal twice has no second effect, so a request that broke off can be repeated.',
        tags: ['banks'],
        params: z.object({ bank: BankName }),
        body: z
          .strictObject({ ...Declared, signals: z.array(GivenSignal).min(1).max(MAX_SIGNALS) })
          .or(z.custom<AsyncIterable<unknown>>(isStream)),
        response: {
          201: RegisteredSignals.or(z.custom<Readable>((value) => value instanceof Readable)),
          ...may(
            'request-invalid',
            'quality-too-low',
            'minor-declared',
            'signal-invalidated',
            'upload-incomplete',
            'body-too-large',
            'media-unsupported',
            'key-missing',
            'scope-missing',
            'account-suspended',
            'quota-exceeded',
            'bank-unknown',
            'store-unavailable',
          ),
        },
      },
    },
    async (request, reply) => {
      const bank = await banks.writable(callerOf(request), request.params.bank)
      const { body } = request
      const batches =
        'signals' in body
          ? [body.signals.map((signal) => ({ line: undefined, signal: toNewSignal(signal) }))]
          : batchesOf(body, scheduler.yielder())
      const answer = new RegisteredSignalsAnswer()
      for await (const batch of batches) {
        await request.reauthorize() // lines may arrive for an hour
        const usable = batch.flatMap(({ signal }) => (signal instanceof Problem ? [] : [signal]))
        const added = usable.length === 0 ? undefined : await registration.forBank(bank, usable)
        // Wait before reading more: an import that outruns the index would make it stale.
        if (added !== undefined) await registration.matchable(added.revision)
        const ids = (added?.ids ?? []).values()
        answer.add(
          batch.map(({ line, signal }): RegisteredSignal => {
            const place = line === undefined ? {} : { line }
            const id = signal instanceof Problem ? undefined : ids.next().value
            const refusal = signal instanceof Problem ? signal : new Problem('signal-invalidated')
            return id === undefined
              ? { ...place, state: 'refused', problem: problemBody(refusal) }
              : { ...place, signalId: id, state: registration.isHeld(id) ? 'held' : 'registered' }
          }),
        )
      }
      if (answer.accepted === 0) throw new Problem(answer.refusal ?? 'request-invalid')
      const { text, bytes } = answer.json()
      reply.code(201).type('application/json; charset=utf-8').header('content-length', bytes)
      return reply.send(text)
    },
  )
}

export function removeSignalRoute(app: ZodApp, { banks, registration }: BankRouteOptions): void {
  app.delete(
    '/banks/:bank/signals/:signalId',
    {
      config: { scope: 'signals:write' },
      schema: {
        operationId: 'removeSignal',
        summary: 'Remove a signal',
        description: 'Takes effect before the answer here, and within one second on all processes. Its hash is erased.',
        tags: ['banks'],
        params: z.object({ bank: BankName, signalId: z.uuid() }),
        response: {
          204: z.null(),
          ...may('request-invalid', 'key-missing', 'scope-missing', 'bank-unknown', 'signal-unknown', 'store-unavailable'),
        },
      },
    },
    async (request, reply) => {
      const { bank, signalId } = request.params
      const caller = callerOf(request)
      const own = await banks.writable(caller, bank)
      await registration.removeFromBank(own, signalId.toLowerCase(), `key:${caller.keyId}`)
      return reply.code(204).send(null)
    },
  )
}

interface Line {
  readonly line: number | undefined
  readonly signal: NewSignal | Problem
}

async function* batchesOf(
  body: AsyncIterable<unknown>,
  yielder: ReturnType<EventLoopScheduler['yielder']>,
): AsyncGenerator<Line[]> {
  let batch: Line[] = []
  // Do not destroy the body when refusing midway: that would close the connection before the refusal is sent.
  const pieces = body instanceof Readable ? body.iterator({ destroyOnReturn: false }) : body
  for await (const { line, value } of readNdjson(pieces, yielder)) {
    batch.push({ line, signal: signalIn(value) })
    if (batch.length < BATCH_LINES) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

function signalIn(value: unknown): NewSignal | Problem {
  if (declaresMinor(value)) return new Problem('minor-declared')
  const parsed = GivenSignal.safeParse(value)
  return parsed.success ? toNewSignal(parsed.data) : new Problem('request-invalid')
}

function toNewSignal({ type, hash: text, quality = 100, ref, category }: z.infer<typeof GivenSignal>): NewSignal | Problem {
  const hash = parseHash(text)
  if (hash === undefined) return new Problem('request-invalid')
  if (quality < SIGNAL_TYPES[type].minQuality) return new Problem('quality-too-low')
  return { signal: { type, view: 'whole', quality, hash }, ref, category }
}
