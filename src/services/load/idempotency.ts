// Idempotency-Key: who asks again with the same key gets the same answer, and nothing is done twice.

import { createHash, createHmac, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import { Problem } from '../../domain/problem.js'
import type { IdempotencyStore } from '../../store/organisations/idempotency.js'
import { makeKeyring } from '../../store/sealing/seal.js'
import type { Limit, LimitCounter } from './limits.js'

/** For how long an answer is kept. */
const KEPT_MS = 86_400_000
/**
 * Bytes of answers that are kept of one owner in a day, by route: the answers to ten thousand pictures, to a hundred thousand watches. What is beyond is not
 * kept, and done again when it is asked again. Routes that are not here make a thing with each answer that they keep, and have limits for these.
 */
const MAX_KEPT_BYTES: Partial<Readonly<Record<IdempotencyScope[0], number>>> = {
  'change-pin': 1 << 20,
  images: 1 << 20,
  hashes: 1 << 20,
  watch: 16 << 20,
  'rotate-key': 1 << 20,
  'rotate-webhook-secret': 1 << 20,
}

const KEPT_ANSWERS = { name: 'kept-answers', windowS: 86_400, isLocal: false, failsClosed: false } as const

/** Longer than any request takes that hashes pictures. */
const CLAIM_MS = 120_000
/** How long a twin waits for the first one's answer. */
const WAIT_MS = 40_000
const POLL_MS = 50
const RETRY_AFTER_S = 2

/** Where a key counts: the same key for another case or another route is another key. */
export type IdempotencyScope = readonly [
  route:
    | 'open-case'
    | 'assist-case'
    | 'change-pin'
    | 'images'
    | 'hashes'
    | 'watch'
    | 'create-key'
    | 'rotate-key'
    | 'add-webhook'
    | 'rotate-webhook-secret',
  owner: string,
]

/** One request with a key. Whoever is first does the work; everybody else is told what came of it. */
export type Attempt<T> =
  | {
      readonly isFirst: true
      /** Keeps the answer, unless too much is kept of its owner. @param digest of what was asked: the same for the same body. */
      finish(digest: Buffer, answer: T): Promise<void>
      /** The work failed: the next one with this key is first again. */
      giveUp(): Promise<void>
    }
  | {
      readonly isFirst: false
      /**
       * The first one's answer, waited for if it is still at work.
       * @throws {Problem} idempotency-key-reused when it was asked something else; idempotency-key-busy when it takes too long or
       *   has failed.
       */
      answer(digest: Buffer): Promise<T>
    }

export interface Idempotency {
  attempt<T>(scope: IdempotencyScope, key: string, answers: z.ZodType<T>): Promise<Attempt<T>>
  /** Does `work` once for a key; each time when there is none. @throws {Problem} as `Attempt`, and what `work` throws. */
  once<T>(
    scope: IdempotencyScope,
    key: string | undefined,
    body: unknown,
    answers: z.ZodType<T>,
    work: () => Promise<T>,
  ): Promise<T>
}

/**
 * An answer may hold a PIN, an API key or the secret of a webhook, so it is sealed under a key that is made of the caller's own: the store, and all keys of the
 * deployment, do not open it without.
 */
export function createIdempotency(store: IdempotencyStore, secret: Buffer, limits: Pick<LimitCounter, 'take'>): Idempotency {
  const attempt = async <T>(scope: IdempotencyScope, key: string, answers: z.ZodType<T>): Promise<Attempt<T>> => {
    const derive = (purpose: string) =>
      createHmac('sha256', secret)
        .update(JSON.stringify([purpose, scope, key]))
        .digest()
    const name = derive('name').toString('hex')
    const seal = makeKeyring([derive('seal')])
    const context = Buffer.from(`idempotency:${name}`)
    const claimId = randomBytes(16).toString('hex')
    if (await store.claim(name, claimId, CLAIM_MS)) {
      return {
        isFirst: true,
        finish: (digest, answer) => {
          const plain = Buffer.concat([digest, Buffer.from(JSON.stringify(answer))])
          const sealed = seal.seal(plain, context)
          const most = MAX_KEPT_BYTES[scope[0]]
          const limit: Limit | undefined = most === undefined ? undefined : { ...KEPT_ANSWERS, most }
          const isKept = limit === undefined || limits.take(limit, scope.join(' '), sealed.length).isWithin
          return isKept ? store.settle(name, claimId, sealed, KEPT_MS) : store.release(name, claimId)
        },
        giveUp: () => store.release(name, claimId),
      }
    }
    return {
      isFirst: false,
      async answer(digest) {
        const end = performance.now() + WAIT_MS
        for (;;) {
          const kept = await store.read(name)
          if (kept?.kind === 'answer') {
            const plain = seal.unseal(kept.sealed, context)
            if (!plain.subarray(0, DIGEST_BYTES).equals(digest)) throw new Problem('idempotency-key-reused')
            return answers.parse(JSON.parse(plain.toString('utf8', DIGEST_BYTES)))
          }
          if (kept === undefined || performance.now() > end)
            throw new Problem('idempotency-key-busy', { retryAfterS: RETRY_AFTER_S })
          await sleep(POLL_MS)
        }
      },
    }
  }

  return {
    attempt,
    async once(scope, key, body, answers, work) {
      if (key === undefined) return work()
      const digest = digestOf([Buffer.from(JSON.stringify(body) ?? '')])
      const tried = await attempt(scope, key, answers)
      if (!tried.isFirst) return tried.answer(digest)
      return finishing(tried, async () => ({ digest, answer: await work() }))
    },
  }
}

/** Keeps what `work` gives, or gives the attempt up when it fails. */
export async function finishing<T>(
  tried: Extract<Attempt<T>, { isFirst: true }>,
  work: () => Promise<{ readonly digest: Buffer; readonly answer: T }>,
): Promise<T> {
  try {
    const { digest, answer } = await work()
    await tried.finish(digest, answer)
    return answer
  } catch (error) {
    await tried.giveUp().catch(() => {}) // it lapses by itself
    throw error
  }
}

const DIGEST_BYTES = 32

export function digestOf(pieces: Iterable<Uint8Array>): Buffer {
  const digest = createHash('sha256')
  for (const piece of pieces) digest.update(piece)
  return digest.digest()
}
