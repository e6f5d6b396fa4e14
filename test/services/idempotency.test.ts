// A claim lasts as long as the work of its request, however slowly a body arrives, and no longer than a moment after a crash.

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { z } from 'zod'
import { createIdempotency, digestOf, finishing } from '../../src/services/load/idempotency.js'
import { createIdempotencyStore } from '../../src/store/organisations/idempotency.js'
import { startStore } from '../helpers/redis.js'

const CLAIM_MS = 300
const SCOPE = ['hashes', 'case'] as const
const KEY = 'b6f0c9c2-0c3e-4f57-9d35-1f7c2f0c7a11'
const Answer = z.object({ registered: z.int() })

const store = createIdempotencyStore((await startStore(t)).store)
const idempotency = createIdempotency(
  store,
  randomBytes(32),
  { take: () => ({ isWithin: true, left: 1, resetS: 1 }) },
  CLAIM_MS,
)

/** Takes longer than three claims. */
async function* slowBody() {
  for (let line = 0; line < 10; line++) {
    await sleep(CLAIM_MS / 3)
    yield Buffer.from(`${line}\n`)
  }
}

async function register(key: string, body: AsyncIterable<Buffer>) {
  const tried = await idempotency.attempt(SCOPE, key, Answer)
  const read = async () => {
    const lines = []
    for await (const line of body) lines.push(line)
    return lines
  }
  if (!tried.isFirst) return { isFirst: false, answer: await tried.answer(digestOf(await read())) }
  const answer = await finishing(tried, async () => {
    const lines = await read()
    return { digest: digestOf(lines), answer: { registered: lines.length } }
  })
  return { isFirst: true, answer }
}

t.test('a request repeated while the first still reads its slow body gets the first answer', async (t) => {
  const first = register(KEY, slowBody())
  await sleep(2 * CLAIM_MS)
  const second = register(KEY, slowBody())
  t.same(await first, { isFirst: true, answer: { registered: 10 } })
  t.same(await second, { isFirst: false, answer: { registered: 10 } })
})

t.test('a request whose work failed after the claim time leaves no claim', async (t) => {
  const tried = await idempotency.attempt(SCOPE, `${KEY}-failed`, Answer)
  if (!tried.isFirst) throw new Error('nobody else has this key')
  const failing = finishing(tried, async () => {
    await sleep(2 * CLAIM_MS)
    throw new Error('it broke off')
  })
  await t.rejects(failing, { message: 'it broke off' })
  const again = await idempotency.attempt(SCOPE, `${KEY}-failed`, Answer)
  t.equal(again.isFirst, true)
  if (again.isFirst) await again.giveUp()
})

t.test('a renewal keeps neither the claim nor the answer of another request', async (t) => {
  const [mine, theirs] = ['mine', 'theirs']
  t.ok(await store.claim('name', theirs, 60_000))
  await store.renew('name', mine, 1)
  await sleep(50)
  t.same(await store.read('name'), { kind: 'claim' })
  await store.settle('name', theirs, Buffer.from('sealed'), 60_000)
  await store.renew('name', theirs, 1)
  await sleep(50)
  t.match(await store.read('name'), { kind: 'answer' })
})
