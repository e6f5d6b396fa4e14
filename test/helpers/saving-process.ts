// A process that changes a catalogue, compacts it and saves it, until it is killed.
// node saving-process.js SOCKET FOLDER

import { Catalogue } from '../../src/services/index/catalogue.js'
import { createSnapshots } from '../../src/services/index/snapshot.js'
import { lastPosition } from '../../src/store/images/changes.js'
import { openStore } from '../../src/store/redis/client.js'
import { storeAt } from './redis.js'
import { SAVED_IMAGES, SAVED_KEYRING, SAVED_SECRET, savedId, savedImage } from './saved.js'

const [, , socket = '', folder = ''] = process.argv
const clock = () => performance.now()
const store = await openStore(storeAt(socket))
const snapshots = createSnapshots({ folder, store, keyring: SAVED_KEYRING, secret: SAVED_SECRET, clock })
const position = await lastPosition(store)
const catalogue = new Catalogue()
for (let n = 0; n < SAVED_IMAGES; n++) catalogue.put(savedId(n), savedImage(n))
process.send?.('ready')
for (let round = 0; ; round++) {
  // These are added and removed, so that the process is killed during a compaction.
  for (let n = 0; n < 3_000; n++) catalogue.put(savedId(SAVED_IMAGES + n), savedImage(`${round} ${n}`))
  catalogue.tidy()
  await snapshots.save(catalogue, position)
}
