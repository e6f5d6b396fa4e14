// Signals of a bank, submitted by NGOs, hotlines and partners, one by one or by the million.

import { Readable } from 'node:stream'
import { z } from 'zod'
import type { Bank } from '../../../packages/core/src/matching/bank.js'
import { parseSignalHash } from '../../../packages/core/src/matching/hash-text.js'
import { refusalOf } from '../../../packages/core/src/matching/probable-hash.js'
import { declaresMinor } from '../../domain/cases/minors.js'
import type { NewSignal } from '../../domain/organisations/bank-change.js'
import { Problem } from '../../domain/problem.js'
import type { Banks } from '../../services/banks/banks.js'
import type { Registration } from '../../services/intake/registration.js'
import type { EventLoopScheduler } from '../../services/load/event-loop-scheduler.js'
import { Declared } from '../declared-age.js'
import { GivenBankVideo, pictureSignals, videoSignals } from '../given-videos.js'
import { isStream, readNdjson } from '../ndjson.js'
import { callerOf } from '../plugins/authentication.js'
import { may, problemBody } from '../problems.js'
import { type RegisteredSignal, RegisteredSignals, RegisteredSignalsAnswer } from '../registered-signals.js'
import { BankName } from '../schemas.js'
import type { ZodApp } from '../zod-app.js'
import { GivenBankImage, GivenSignal } from './bank-schemas.js'

const MAX_SIGNALS = 1000
const MAX_IMAGES = 1000
const MAX_VIDEOS = 100
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
      bodyLimit: 8 << 20,
      schema: {
        operationId: 'addSignals',
        summary: 'Add signals to a bank',
        description:
          'JSON with up to 1,000 signals, 1,000 images and 100 videos, or application/x-ndjson with one signal a line, without limit. An image (a picture with several hashes) or a video is one signal of the bank, with all of its hashes; the answer has signals, then images, then videos. More videos, or videos as NDJSON or vPDQ: POST /v1/banks/{bank}/imports. A bad line is refused with its number; the other lines are added. Adding the same signal twice has no second effect, so a request that broke off can be repeated.',
        tags: ['banks'],
        params: z.object({ bank: BankName }),
        body: z
          .strictObject({
            ...Declared,
            signals: z.array(GivenSignal).max(MAX_SIGNALS).default([]),
            images: z.array(GivenBankImage).max(MAX_IMAGES).default([]),
            videos: z.array(GivenBankVideo).max(MAX_VIDEOS).default([]),
          })
          .refine(
            ({ signals, images, videos }) => signals.length + images.length + videos.length > 0,
            'must have at least one signal, image or video',
          )
          .or(z.custom<AsyncIterable<unknown>>(isStream)),
        response: {
          201: RegisteredSignals.or(z.custom<Readable>((value) => value instanceof Readable)),
          ...may(
            'request-invalid',
            'quality-too-low',
            'hash-improbable',
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
      const batches = 'signals' in body ? [await batchIn(body, scheduler.yielder())] : batchesOf(body, scheduler.yielder())
      const answer = new RegisteredSignalsAnswer()
      for await (const batch of batches) {
        await request.reauthorize() // lines may arrive for an hour
        const usable = batch.flatMap(({ signal }) => (signal instanceof Problem ? [] : [signal]))
        const ids = (usable.length === 0 ? [] : await register(registration, bank, usable)).values()
        answer.add(
          batch.map(({ line, signal }): RegisteredSignal => {
            const place = line === undefined ? {} : { line }
            const id = signal instanceof Problem ? undefined : ids.next().value
            const refusal = signal instanceof Problem ? signal : new Problem('signal-invalidated')
            return id === undefined
              ? { ...place, state: 'refused', problem: problemBody(refusal) }
              : { ...place, signalId: id, state: registration.isSilent(id) ? 'held' : 'registered' }
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

/**
 * @returns the ids, in order; `undefined` for a blocked signal. Waits until the signals match here: an import faster than the index would make it
 *   stale.
 */
async function register(
  registration: Registration,
  bank: Bank,
  added: readonly NewSignal[],
): Promise<readonly (string | undefined)[]> {
  if (added.every(({ picture }) => picture === undefined)) {
    const { ids, revision } = await registration.forBank(bank, added)
    await registration.matchable(revision)
    return ids
  }
  const changes = added.map((signal) => ({ kind: 'put', signal }) as const)
  const { invalidatedAt, revision } = await registration.changeBank(bank, changes)
  await registration.matchable(revision)
  return added.map((signal, at) => (invalidatedAt.has(at) ? undefined : registration.signalIdFor(bank, signal)))
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

interface Given {
  readonly signals: readonly z.infer<typeof GivenSignal>[]
  readonly images: readonly z.infer<typeof GivenBankImage>[]
  readonly videos: readonly z.infer<typeof GivenBankVideo>[]
}

/** Signals, then images, then videos. Yields between them: an image may have 194 hashes, a video 10,000. */
async function batchIn(
  { signals, images, videos }: Given,
  yieldIfNeeded: ReturnType<EventLoopScheduler['yielder']>,
): Promise<Line[]> {
  const batch: Line[] = []
  const add = async <T>(all: readonly T[], read: (one: T) => NewSignal | Problem) => {
    for (const one of all) {
      const pause = yieldIfNeeded()
      if (pause !== undefined) await pause
      batch.push({ line: undefined, signal: read(one) })
    }
  }
  await add(signals, toNewSignal)
  await add(images, toNewImage)
  await add(videos, toNewVideo)
  return batch
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

function toNewImage({ ref, category, ...given }: z.infer<typeof GivenBankImage>): NewSignal | Problem {
  const picture = pictureSignals(given)
  if (picture instanceof Problem) return picture
  const { signals, video } = picture
  const signal = signals.find(({ view, frame }) => view === 'whole' && frame === undefined)
  return signal === undefined ? new Problem('request-invalid') : { signal, picture: signals, video, ref, category }
}

function toNewVideo(given: z.infer<typeof GivenBankVideo>): NewSignal | Problem {
  const film = videoSignals(given)
  if (film instanceof Problem) return film
  const itself = film.signals.find(({ view }) => view === 'whole')
  if (itself === undefined) return new Problem('request-invalid')
  const { frame: _, ...signal } = itself
  return { signal, picture: film.signals, video: film.video, ref: given.ref, category: given.category }
}

function toNewSignal({ type, hash: text, quality = 100, ref, category }: z.infer<typeof GivenSignal>): NewSignal | Problem {
  const hash = parseSignalHash(type, text)
  if (hash === undefined) return new Problem('request-invalid')
  const signal = { type, view: 'whole', quality, hash } as const
  const refusal = refusalOf(signal)
  return refusal === undefined ? { signal, ref, category } : new Problem(refusal)
}
