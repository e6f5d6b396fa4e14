// A process that submits to cases, judges their pictures, withdraws, renews and expires them, all concurrently, until it is killed. It prints the
// results.
// node case-process.js SOCKET CASES FIRST

import { CASES_BANK_NAME } from '../../packages/core/src/matching/bank.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { act as acted, type TrustAction, trustStatusOf } from '../../src/domain/trust/trust.js'
import { createCaseStore } from '../../src/store/cases/cases.js'
import { createImageStore } from '../../src/store/images/images.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { createTrustStore } from '../../src/store/trust/trust.js'
import {
  actionOf,
  caseIdOf,
  caseNumberOf,
  imageIdOf,
  MODEL_END_MS,
  MODEL_NOW_MS,
  type ModelAction,
  spokenOf,
} from './case-model.js'
import { storeAt } from './redis.js'

const [, , socket = '', count = '', first = ''] = process.argv
const store = await openStore(storeAt(socket))
const cases = createCaseStore(store)
const trusts = createTrustStore(store)
const images = createImageStore(store, makeKeyring([Buffer.alloc(32, 9)]))

const SAID: Partial<Readonly<Record<ModelAction, readonly TrustAction[]>>> = {
  vouch: [{ kind: 'attest', pseudonym: 'ngo' }],
  dispute: [{ kind: 'dispute', pseudonym: 'platform', reason: 'other', counts: true }],
  hold: [{ kind: 'hold', cause: 'operator', flood: 0 }],
  strike: [
    { kind: 'dispute', pseudonym: 'platform', reason: 'other', counts: true },
    { kind: 'decide', outcome: 'upheld' },
  ],
}

/** As the service: reads, applies the rules, writes unless another process was first. @returns the result, once it is on disk. */
async function speak(imageId: string, actions: readonly TrustAction[]): Promise<string> {
  for (const action of actions) {
    const { trust, version } = await trusts.get(imageId)
    const after = acted(trust, action, MODEL_NOW_MS)
    if (typeof after === 'string') return after
    if (after === trust) continue
    const outcome = await trusts.put(imageId, version, after, trustStatusOf(after))
    if (typeof outcome === 'string') return outcome
  }
  return 'said'
}

async function act(step: number): Promise<void> {
  const caseId = caseIdOf(caseNumberOf(step, Number(count)))
  const action = actionOf(step)
  let outcome: unknown
  if (action === 'open') {
    const record = { createdAtMs: 1, expiresAtMs: MODEL_END_MS, category: undefined, pin: 'x' }
    outcome = await cases.add(caseId, record)
  } else if (action === 'submit' || action === 'attest') {
    const tier = action === 'attest' ? ('ngo-attested' as const) : ('self-reported' as const)
    const hash = hashFromBytes(Buffer.alloc(32, step % 251))
    const signals = [{ type: 'pdq', view: 'whole', quality: 80, hash }] as const
    const image = { bank: CASES_BANK_NAME, tier, category: undefined, ref: undefined, createdAtMs: 1, signals }
    const put = await images.putForCase(caseId, [{ id: imageIdOf(step), image }], MODEL_NOW_MS)
    outcome = typeof put === 'object' ? 'registered' : put
  } else if (action === 'renew') {
    const change = { action, nowMs: MODEL_NOW_MS, fields: { expiresAtMs: MODEL_END_MS + step }, event: 'renewed' } as const
    outcome = await cases.change(caseId, change)
  } else if (SAID[action] !== undefined) {
    outcome = await speak(spokenOf(step, Number(count)), SAID[action])
  } else if (action === 'withdrawn' || action === 'expired') {
    const atMs = action === 'expired' ? 2 * MODEL_END_MS + step : MODEL_NOW_MS
    outcome = (await cases.end(caseId, action, atMs))?.state
  }
  process.send?.({ step, action, outcome: outcome ?? null })
}

for (let step = Number(first); ; step += 24) {
  await Promise.all(Array.from({ length: 24 }, (_, i) => act(step + i)))
}
