// A caller that was told that the store is unavailable may do something else. The abandoned write must not happen later.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import t from 'tap'
import { openStore } from '../../src/store/redis/client.js'
import { DurableWriter } from '../../src/store/redis/durable-writer.js'
import { openLine } from '../faults/line.js'
import { startRedis } from '../helpers/redis.js'

const SET = { numberOfKeys: 1, lua: "return redis.call('SET', KEYS[1], ARGV[1])" } as const
const ECHO = { numberOfKeys: 'some', lua: 'return { #KEYS, #ARGV, ARGV[1], ARGV[#ARGV] }' } as const

const redis = await startRedis(t)
const direct = new Redis(redis.socket)
t.teardown(() => direct.disconnect())

t.test('an abandoned write does not happen when the connection recovers', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-late-'))
  const line = await openLine(join(folder, 'line'), () => redis.socket)
  const store = await openStore({ url: undefined, socket: line.socket })
  t.teardown(async () => {
    await store.close()
    await line.close()
    rmSync(folder, { recursive: true, force: true })
  })
  await store.write(SET, ['before'], ['x'])
  line.slow(100)
  await store.write(SET, ['slow'], ['x'])
  line.heal()

  line.silence()
  const given = Array.from({ length: 3 }, (_, i) => store.write(SET, [`given up ${i}`], ['x']))
  for (const each of given) await t.rejects(each, { code: 'store-unavailable' })
  line.heal()
  // Writes that were held back arrive before this one, on the same connection.
  for (let tries = 0; ; tries++) {
    const isBack = await store.write(SET, ['after'], ['x']).then(
      () => true,
      () => false,
    )
    if (isBack) break
    if (tries > 100) throw new Error('the line came back, the store did not')
  }
  t.same((await direct.keys('*')).sort(), ['after', 'before', 'slow'])
})

t.test('when the clocks of process and Redis diverge they are compared again, and the write happens', async (t) => {
  let stepMs = 0
  const writer = new DurableWriter(direct, 0, () => performance.now() + stepMs)
  await writer.probe()
  for (stepMs of [-3_600_000, 3_600_000, 0]) {
    t.equal(String(await writer.write(SET, ['stepped'], [String(stepMs)])), 'OK')
    t.equal(await direct.get('stepped'), String(stepMs))
  }
})

t.test('a script gets its own arguments and no others', async (t) => {
  const writer = new DurableWriter(direct)
  const texts = async (...args: string[]) => ((await writer.write(ECHO, ['k'], args)) as unknown[]).map(String)
  t.same(await texts('a', 'b'), ['1', '2', 'a', 'b'])
  t.same((await texts()).slice(0, 2), ['1', '0'])
})
