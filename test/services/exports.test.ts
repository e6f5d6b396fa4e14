// Exporting a large bank takes minutes: a caller whose key is revoked meanwhile does not get the rest.

import t from 'tap'
import type { Bank } from '../../packages/core/src/matching/bank.js'
import { parseHash } from '../../packages/hash/src/hash256.js'
import type { Caller } from '../../src/domain/organisations/access.js'
import { Problem } from '../../src/domain/problem.js'
import { createExports } from '../../src/services/banks/exports.js'
import type { StoredImage } from '../../src/store/images/image-reads.js'
import { randomHashText } from '../helpers/service.js'

const bank: Bank = { name: 'mine', purpose: 'match', orgId: 'org', thresholdBits: {}, createdAtMs: 1 }
const caller: Caller = { keyId: 'key', orgId: 'org', scopes: new Set(['feed']) }

t.test('an export breaks off when its reader loses the permission to read', async (t) => {
  const texts = [randomHashText(), randomHashText(), randomHashText()]
  const exports = createExports({
    images: {
      async *all() {
        for (const text of texts) yield [banked(text)]
      },
    },
    trusts: { trustStatuses: async (ids) => ids.map(() => undefined) },
    audit: { record: async () => {} },
    onError: () => t.fail(),
  })
  let asked = 0
  const file = await exports.open(caller, bank, 'hex', { kind: 'plain' }, async () => {
    if (++asked === 3) throw new Problem('key-missing')
  })
  let read = ''
  await t.rejects(
    async () => {
      for await (const piece of file) read += String(piece)
    },
    { code: 'key-missing' },
  )
  t.equal(read, `${texts[0]}\n${texts[1]}\n`)
})

function banked(text: string): StoredImage {
  const hash = parseHash(text)
  if (hash === undefined) throw new Error('a hash is one')
  return {
    id: '00000000-0000-7000-8000-000000000000',
    image: {
      bank: 'mine',
      tier: 'ngo-attested',
      category: undefined,
      ref: undefined,
      createdAtMs: 1,
      signals: [{ type: 'pdq', view: 'whole', quality: 100, hash }],
    },
  }
}
