import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createSnapshots } from '../../src/services/index/snapshot.js'
import { createImageStore } from '../../src/store/images/images.js'
import { openStore } from '../../src/store/redis/client.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { SAVED_IMAGES, SAVED_KEYRING, SAVED_SECRET, savedHash, savedId, savedImage } from '../helpers/saved.js'
import { until } from '../helpers/service.js'

const PROCESS = fileURLToPath(new URL('../helpers/saving-process.js', import.meta.url))

t.test(
  'a process killed while it compacts and saves leaves a complete snapshot, the last or the previous one',
  async (t) => {
    const folder = t.testdir()
    const { socket } = await startRedis(t)
    const store = await openStore(storeAt(socket))
    t.teardown(() => store.close())
    await createImageStore(store, SAVED_KEYRING).put([{ id: savedId(0), image: savedImage(0) }])
    const clock = () => performance.now()
    const snapshots = createSnapshots({ folder, store, keyring: SAVED_KEYRING, secret: SAVED_SECRET, clock })

    const path = join(folder, 'index.snapshot')
    const isThere = async () => until(() => existsSync(path))
    let isSaved = false
    // On a slow machine a fixed delay may come too early for any snapshot, so one round waits for the file.
    for (const moment of [0, 40, 150, isThere, 400]) {
      const child = fork(PROCESS, [socket, folder], { execArgv: [] })
      t.teardown(() => child.kill('SIGKILL'))
      await once(child, 'message')
      await (typeof moment === 'number' ? sleep(moment) : moment())
      child.kill('SIGKILL')
      await once(child, 'exit')

      isSaved ||= existsSync(path)
      const snapshot = await snapshots.load()
      t.equal(
        snapshot !== undefined,
        isSaved,
        typeof moment === 'number' ? `killed after ${moment} ms` : 'killed once there was one',
      )
      if (snapshot === undefined) continue
      while (snapshot.catalogue.tidy());
      const sample = Array.from({ length: 700 }, (_, i) => (i * SAVED_IMAGES) / 700)
      t.ok(sample.every((n) => snapshot.catalogue.index('pdq').within([savedHash(n)], 0).length >= 1))
    }
    t.ok(isSaved, 'at least one was saved')
  },
)
