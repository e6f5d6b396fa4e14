// A bank's owner is answered once the process that answers knows the change.

import { t } from 'tap'
import type { Bank } from '../../packages/core/src/matching/bank.js'
import type { Caller } from '../../src/domain/organisations/access.js'
import { createBanks } from '../../src/services/banks/banks.js'
import { Catalogue } from '../../src/services/index/catalogue.js'

const OWNER: Caller = { orgId: 'org', keyId: 'key', scopes: new Set(['signals:write']) }
const BANK: Bank = { name: 'mine', purpose: 'match', orgId: 'org', thresholdBits: {}, createdAtMs: 1, readers: undefined }
const REVISION = 7

/** Banks over a store that writes at once, in a process that learns of it when `hear` is called. */
function world() {
  const waitedFor: number[] = []
  let hear = () => {}
  const reached = (revision: number) => {
    waitedFor.push(revision)
    return new Promise<void>((resolve) => {
      hear = resolve
    })
  }
  const written = async () => REVISION
  let swept = 0
  const banks = createBanks({
    banks: {
      get: async () => BANK,
      add: async (bank) => ({ bank, revision: await written() }),
      setReaders: written,
      setRatio: written,
      markRemoved: written,
    },
    organisations: { orgByName: async () => undefined },
    replica: { catalogue: new Catalogue(), reached },
    erasing: { sweep: async () => void swept++ },
    now: () => 1,
  })
  return { banks, waitedFor, hear: () => hear(), swept: () => swept }
}

for (const [name, change] of Object.entries({
  create: ({ banks }: ReturnType<typeof world>) => banks.create(OWNER, BANK, undefined),
  setReaders: ({ banks }) => banks.setReaders(OWNER, 'mine', undefined),
  setRatio: ({ banks }) => banks.setRatio(OWNER, 'mine', 0),
  remove: ({ banks }) => banks.remove(OWNER, 'mine'),
} satisfies Record<string, (of: ReturnType<typeof world>) => Promise<unknown>>)) {
  t.test(`${name} is answered once this process knows of it, not before`, async (t) => {
    const of = world()
    let isAnswered = false
    const answer = change(of).then(() => {
      isAnswered = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    t.same(of.waitedFor, [REVISION])
    t.notOk(isAnswered)
    t.equal(of.swept(), 0, 'nothing is erased that may still match')
    of.hear()
    await answer
    t.equal(of.swept(), name === 'remove' ? 1 : 0)
  })
}
