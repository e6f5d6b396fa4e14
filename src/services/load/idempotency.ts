// Idempotency-Key: a request that is repeated with the same key gets the first answer again, and the work is done once.

import { createHash, createHmac, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import { Problem } from '../../domain/problem.js'
import type { IdempotencyStore } from '../../store/organisations/idempotency.js'
import { makeKeyring } from '../../store/sealing/seal.js'
import type { Limit, LimitCounter } from './limits.js'

const KEPT_MS = 86_400_000
/**
 * Maximum bytes of kept answers per owner and day, by route: enough for ten thousand pictures or a hundred thousand watches. Answers beyond it are
 * not kept, so a repeated request does the work again. Routes that are not listed create one object per answer, and limit those objects.
 */
const MAX_KEPT_BYTES: Partial<Readonly<Record<IdempotencyScope[0], number>>> = {
  'change-pin': 1 << 20,
  images: 1 << 20,
  videos: 1 << 20,
  hashes: 1 << 20,
  watch: 16 << 20,
  'rotate-key': 1 << 20,
  'rotate-webhook-secret': 1 << 20,
}

const KEPT_ANSWERS = { name: 'kept-answers', windowS: 86_400, isLocal: false, failsClosed: false } as const

/** How long a claim outlasts a process that crashed. While the work goes on, which may read a body for an hour, the claim is renewed. */
const CLAIM_MS = 120_000
const RENEWALS_PER_CLAIM = 3
/** How long a repeated request waits for the answer to the first one. */
const WAIT_MS = 40_000
const POLL_MS = 50
const RETRY_AFTER_S = 2

/** The scope of a key. On another route or for another owner, the same text is another key. */
export type IdempotencyScope = readonly [
  route:
    | 'open-case'
    | 'assist-case'
    | 'change-pin'
    | 'images'
    | 'videos'
    | 'hashes'
    | 'watch'
    | 'create-key'
    | 'rotate-key'
    | 'add-webhook'
    | 'rotate-webhook-secret',
  owner: string,
]

/** One request with a key. The first one does the work; repeated ones get its answer. */
export type Attempt<T> =
  | {
      readonly isFirst: true
      /** The claim is renewed until `finish` or `giveUp`. Keeps the answer, unless the owner's limit is reached. @param digest of the request body */
      finish(digest: Buffer, answer: T): Promise<void>
      /** Call when the work failed: the next request with this key is the first again. */
      giveUp(): Promise<void>
    }
  | {
      readonly isFirst: false
      /**
       * Returns the answer to the first request; waits for it up to 40 s.
       * @throws {Problem} idempotency-key-reused if the first request had another body; idempotency-key-busy if it takes too long or failed.
       */
      answer(digest: Buffer): Promise<T>
    }

export interface Idempotency {
  attempt<T>(scope: IdempotencyScope, key: string, answers: z.ZodType<T>): Promise<Attempt<T>>
  /** Does `work` once per key; without a key, each time. @throws {Problem} as `Attempt`, and what `work` throws. */
  once<T>(
    scope: IdempotencyScope,
    key: string | undefined,
    body: unknown,
    answers: z.ZodType<T>,
    work: () => Promise<T>,
  ): Promise<T>
}

/**
 * Kept answers may contain a PIN, an API key or a webhook secret. So each is sealed under a key derived from the caller's idempotency key, which is
 * not stored. An attacker with the store and all keys of the deployment cannot open it.
 */
export function createIdempotency(
  store: IdempotencyStore,
  secret: Buffer,
  limits: Pick<LimitCounter, 'take'>,
  repeat = atIntervals,
): Idempotency {
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
      const stopRenewing = renewing(() => store.renew(name, claimId, CLAIM_MS), repeat)
      return {
        isFirst: true,
        async finish(digest, answer) {
          await stopRenewing()
          const plain = Buffer.concat([digest, Buffer.from(JSON.stringify(answer))])
          const sealed = seal.seal(plain, context)
          const most = MAX_KEPT_BYTES[scope[0]]
          const limit: Limit | undefined = most === undefined ? undefined : { ...KEPT_ANSWERS, most }
          const isKept = limit === undefined || limits.take(limit, scope.join(' '), sealed.length).isWithin
          await (isKept ? store.settle(name, claimId, sealed, KEPT_MS) : store.release(name, claimId))
        },
        async giveUp() {
          await stopRenewing()
          await store.release(name, claimId)
        },
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

/** Renews several times while a claim lasts. @returns a function that ends this; a renewal under way has ended when it resolves. */
function renewing(renew: () => Promise<void>, repeat: typeof atIntervals): () => Promise<void> {
  let underWay: Promise<void> | undefined
  const stop = repeat(() => {
    // A store that hangs gets one renewal, not one for each interval. A failed one is tried again: the claim lasts for several intervals.
    underWay ??= renew()
      .catch(() => {})
      .then(() => {
        underWay = undefined
      })
  }, CLAIM_MS / RENEWALS_PER_CLAIM)
  return async () => {
    stop()
    await underWay
  }
}

/** @returns a function that ends it. */
function atIntervals(work: () => void, intervalMs: number): () => void {
  const timer = setInterval(work, intervalMs).unref()
  return () => clearInterval(timer)
}

/** Does the work and keeps its answer; releases the key when the work fails. @throws what `work` throws */
export async function finishing<T>(
  tried: Extract<Attempt<T>, { isFirst: true }>,
  work: () => Promise<{ readonly digest: Buffer; readonly answer: T }>,
): Promise<T> {
  try {
    const { digest, answer } = await work()
    await tried.finish(digest, answer)
    return answer
  } catch (error) {
    await tried.giveUp().catch(() => {}) // the claim expires by itself
    throw error
  }
}

const DIGEST_BYTES = 32

export function digestOf(pieces: Iterable<Uint8Array>): Buffer {
  const digest = createHash('sha256')
  for (const piece of pieces) digest.update(piece)
  return digest.digest()
}
