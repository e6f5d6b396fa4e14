// A process with a replica that prints what it finds. Its argument is the address of the store.

import { Replica } from '../../src/services/index/replica.js'
import { createImageStore } from '../../src/store/images/images.js'
import { createImageReader } from '../../src/store/images/reader/image-reader.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { createBankStore } from '../../src/store/organisations/banks.js'
import { connectForFollowing, openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { createTrustStore } from '../../src/store/trust/trust.js'

const [, , url = ''] = process.argv
const target = { url, socket: undefined }
const keyring = makeKeyring([Buffer.alloc(32, 7)])
const store = await openStore(target)
const losses: string[] = []
const replica = new Replica({
  store,
  images: createImageStore(store, keyring),
  reader: createImageReader(target, keyring),
  snapshots: undefined,
  withdrawals: undefined,
  trusts: createTrustStore(store),
  banks: createBankStore(store),
  apiKeys: createApiKeyStore(store),
  follower: connectForFollowing(target),
  onLoss: (loss) => losses.push(loss),
  now: () => performance.now(),
  onError: () => {},
})
await replica.start()
/** Receives ids. */
process.on('message', (ids) => {
  if (!Array.isArray(ids)) return
  const { notReady, revision } = replica
  const known = ids.filter((id) => typeof id === 'string' && replica.bankOf(id) !== undefined)
  process.send?.({ reason: notReady, revision, losses, found: notReady === undefined ? known : undefined })
})
process.send?.('started')
