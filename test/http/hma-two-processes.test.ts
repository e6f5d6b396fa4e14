// HMA content that is removed by another process than the one that added it.

import t from 'tap'
import { hmaClient, hmaWorld } from '../helpers/hma.js'
import { randomHashText, startService } from '../helpers/service.js'

t.test('a process removes content at once that another process has just added', async (t) => {
  const { service, key, hma, add } = await hmaWorld(t)
  const other = hmaClient(await startService(t, { redis: service.redis }), key.headers)
  for (let i = 0; i < 20; i++) {
    const id = await add(randomHashText())
    t.same((await other('DELETE', `/c/bank/MINE/content/${id}`)).body, { deleted: 1 })
    t.same((await hma('DELETE', `/c/bank/MINE/content/${id}`)).body, { deleted: 0 })
  }
})
