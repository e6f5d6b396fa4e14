// Two processes sweep removed banks, with any delay. A bank made later under the same name keeps all that was
// acknowledged.

import t from 'tap'
import type { BankRef } from '../../packages/core/src/matching/bank.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { createBankErasing } from '../../src/services/banks/bank-erasure.js'
import { createBanks } from '../../src/services/banks/banks.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { createImageStore } from '../../src/store/images/images.js'
import { createBankStore } from '../../src/store/organisations/banks.js'
import { createImportStore } from '../../src/store/organisations/imports.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { startRedis, storeAt } from '../helpers/redis.js'

const redis = await startRedis(t)
const store = await openStore(storeAt(redis.socket))
t.teardown(() => store.close())
const banks = createBankStore(store)
const images = createImageStore(store, makeKeyring([Buffer.alloc(32, 7)]))
const imports = createImportStore(store)

const GRACE_MS = 10_000
const SIGNALS = 4
const idOf = (signal: number) => `00000000-0000-8000-8000-00000000000${signal}`
const imageOf = (bank: string) => ({
  bank,
  tier: 'ngo-attested' as const,
  category: undefined,
  ref: undefined,
  createdAtMs: 1,
  signals: [{ type: 'pdq' as const, view: 'whole' as const, quality: 100, hash: hashFromBytes(Buffer.alloc(32, 5)) }],
})

/** Mulberry32. */
function drawing(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Steps that wait until the test releases them, in the order that the test draws. */
function gates() {
  const waiting: (() => void)[] = []
  return {
    pass: () => new Promise<void>((resolve) => void waiting.push(resolve)),
    get count() {
      return waiting.length
    },
    release(which: number) {
      waiting.splice(which, 1)[0]?.()
    },
  }
}

/** A process with its own catalogue, of any age, whose writes wait. */
function processOf(now: () => number) {
  const replica = { isReady: true, catalogue: new Catalogue() }
  const gate = gates()
  const erasing = createBankErasing({
    banks: {
      async forget(...args) {
        await gate.pass()
        await banks.forget(...args)
      },
    },
    images: {
      ...images,
      async erase(...args) {
        await gate.pass()
        return await images.erase(...args)
      },
    },
    replica,
    now,
    onError: (error) => t.fail(String(error)),
  })
  let sweeping: Promise<void> | undefined
  return {
    gate,
    async follow(name: string) {
      const catalogue = new Catalogue()
      for (const bank of await banks.all()) catalogue.banks.set(bank.name, bank)
      const ids = Array.from({ length: SIGNALS }, (_, i) => idOf(i))
      const found = await images.get(ids)
      for (const [i, image] of found.entries()) if (image?.bank === name) catalogue.put(ids[i] ?? '', image)
      replica.catalogue = catalogue
    },
    sweep() {
      sweeping ??= erasing.sweep().finally(() => {
        sweeping = undefined
      })
    },
    async finish() {
      while (sweeping !== undefined) {
        gate.release(0)
        await new Promise((resolve) => setImmediate(resolve))
      }
      await erasing.close()
    },
  }
}

/** What must exist: the bank that was acknowledged last and not removed since, and its signals. */
interface Expected {
  bank: BankRef | undefined
  signals: Set<number>
}

async function missing(name: string, { bank, signals }: Expected): Promise<string | undefined> {
  if (bank === undefined) return undefined
  const found = await banks.get(name)
  if (found?.id !== bank.id || found?.removedAtMs !== undefined) return 'the bank'
  const there = await images.get([...signals].map(idOf))
  return there.includes(undefined) ? 'a signal' : undefined
}

async function run(seed: number): Promise<string | undefined> {
  const draw = drawing(seed)
  const below = (count: number) => Math.floor(draw() * count)
  const name = `b${seed}`
  const expected: Expected = { bank: undefined, signals: new Set() }
  const before: BankRef[] = []
  let nowMs = 1_000_000
  const processes = [processOf(() => nowMs), processOf(() => nowMs)]
  const any = () => processes[below(processes.length)] ?? processes[0]
  const steps: (() => Promise<void> | void)[] = [
    async () => {
      // The clock may stand still: then the previous bank was made in the same millisecond.
      const made = { name, purpose: 'match' as const, orgId: 'org', thresholdBits: {}, createdAtMs: 1 }
      if ((await banks.add(made, 'operator')) === undefined) return
      expected.bank = await banks.get(name)
      expected.signals.clear()
    },
    async () => {
      const signal = below(SIGNALS)
      if (expected.bank === undefined) return
      const revision = await images.putInto(expected.bank, [{ id: idOf(signal), image: imageOf(name) }])
      if (revision !== undefined) expected.signals.add(signal)
    },
    async () => {
      if (expected.bank === undefined) return
      await banks.markRemoved(expected.bank, 'operator', nowMs)
      before.push(expected.bank)
      expected.bank = undefined
    },
    async () => {
      const late = before[below(before.length)]
      if (late !== undefined) await banks.markRemoved(late, 'operator', nowMs)
    },
    async () => await any()?.follow(name),
    () => any()?.sweep(),
    async () => {
      const gate = any()?.gate
      gate?.release(below(gate.count))
      await store.ask((client) => client.ping())
    },
    () => {
      nowMs += GRACE_MS + 1
    },
  ]
  let lost: string | undefined
  for (let step = 0; step < 120 && lost === undefined; step++) {
    await steps[below(steps.length)]?.()
    lost = await missing(name, expected)
  }
  for (const each of processes) await each.finish()
  lost ??= await missing(name, expected)
  for (let signal = 0; signal < SIGNALS; signal++) await images.erase(idOf(signal))
  return lost
}

t.test('a bank that is removed and made again is never erased by a sweep of the previous one, in any order', async (t) => {
  for (let seed = 1; seed <= 60; seed++) {
    const lost = await run(seed)
    if (lost !== undefined) return t.fail(`seed ${seed} loses ${lost}`)
  }
})

const progressKeys = async ({ id }: BankRef) => (await store.ask((client) => client.keys(`*import*:${id}*`))).length

t.test('a removed bank is erased with the progress of its imports, and a later bank keeps its own', async (t) => {
  const made = { name: 'files', purpose: 'match' as const, orgId: 'org', thresholdBits: {}, createdAtMs: 1 }
  await banks.add(made, 'operator')
  const first = await banks.get('files')
  if (first === undefined) return t.fail('it was made')
  await imports.claim([first, 'one'], 'writer', Date.now())
  await banks.forget(first)
  t.ok(await banks.get('files'), 'a bank that is not removed stays')
  await banks.markRemoved(first, 'operator', 2)
  await banks.forget(first)
  t.equal(await banks.get('files'), undefined)
  t.same(await imports.list(first, undefined, 10), { imports: [], next: undefined })
  t.equal(await progressKeys(first), 0)

  await imports.claim([first, 'late'], 'writer', Date.now())

  await banks.add(made, 'operator')
  const second = await banks.get('files')
  if (second === undefined) return t.fail('it was made again')
  t.equal(await progressKeys(second), 0, 'a file still in progress for the first bank is not listed for the second')
  await imports.claim([second, 'two'], 'writer', Date.now())
  t.not(second.id, first.id)
  await banks.markRemoved(second, 'operator', 2)
  await banks.forget(first)
  t.ok(await banks.get('files'), 'another bank with the same name was erased')
  t.equal(await progressKeys(second), 2, 'its list and its file')
})

t.test('a request about an erased bank does not change another bank with the same name', async (t) => {
  const caller = { orgId: 'first', keyId: 'key', scopes: new Set(['signals:write'] as const) }
  const made = { name: 'taken', purpose: 'match' as const, orgId: 'first', thresholdBits: {}, createdAtMs: 1 }
  const acts: Record<string, (of: ReturnType<typeof createBanks>) => Promise<unknown>> = {
    remove: (of) => of.remove(caller, 'taken'),
    setReaders: (of) => of.setReaders(caller, 'taken', []),
    setRatio: (of) => of.setRatio(caller, 'taken', 0),
  }
  for (const [ask, act] of Object.entries(acts)) {
    await banks.add(made, 'operator')
    const replacedMeanwhile = async () => {
      const old = await banks.get('taken')
      if (old === undefined) throw new Error('it was made')
      await banks.markRemoved(old, 'operator', 2)
      await banks.forget(old)
      await banks.add({ ...made, orgId: 'second' }, 'operator')
      return old
    }
    const service = createBanks({
      banks: { ...banks, get: replacedMeanwhile },
      organisations: { orgByName: async () => undefined },
      replica: { catalogue: new Catalogue(), reached: async () => {} },
      erasing: { sweep: async () => {} },
      now: () => 3,
    })
    await t.rejects(act(service), { code: 'bank-unknown' })
    const after = await banks.get('taken')
    t.match(after, { orgId: 'second', removedAtMs: undefined, readers: undefined, enabledRatio: undefined }, ask)
    if (after === undefined) return
    await banks.markRemoved(after, 'operator', 4)
    await banks.forget(after)
  }
})
