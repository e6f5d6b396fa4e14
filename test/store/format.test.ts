import t from 'tap'
import { openStore } from '../../src/store/redis/client.js'
import { agreeOnFormat, checkFormat, FORMAT } from '../../src/store/redis/format.js'
import { keys } from '../../src/store/redis/keys.js'
import { caseLifeHandler } from '../../workers/case-life.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { keyFor, startService } from '../helpers/service.js'
import { SEAL_KEY, tabir } from '../helpers/tabir.js'

t.test('a store records its format, accepts one version back, and refuses older versions', async (t) => {
  const redis = await startRedis(t)
  const store = await openStore(storeAt(redis.socket))
  t.teardown(() => store.close())
  const read = () => store.ask((client) => client.hgetall(keys.format))

  await checkFormat(store) // an unused store
  t.same(await read(), {}, 'checking writes nothing')
  await agreeOnFormat(store)
  await agreeOnFormat(store)
  t.same(await read(), { written: String(FORMAT.written), readableFrom: String(FORMAT.readableFrom) })

  const [own, next, later] = [FORMAT.written, FORMAT.written + 1, FORMAT.written + 2]
  const upgraded = { written: String(next), readableFrom: String(own) }
  await agreeOnFormat(store, { written: next, readableFrom: own })
  t.same(await read(), upgraded, 'an upgrade')
  await agreeOnFormat(store, { written: own, readableFrom: own })
  t.same(await read(), upgraded, 'a downgrade by one version works and keeps the format')

  await agreeOnFormat(store, { written: later, readableFrom: next })
  const before = await read()
  const message = new RegExp(`newer version of Tabir: in format ${later}, .* before format ${next} .* has format ${own}`)
  for (const look of [() => checkFormat(store, own), () => agreeOnFormat(store, { written: own, readableFrom: own })])
    await t.rejects(look(), { message })
  t.same(await read(), before, 'a refusal changes nothing')
  await agreeOnFormat(store, { written: next, readableFrom: own })
})

t.test('an api starts on data of a newer version only if that is marked readable', async (t) => {
  const redis = await startRedis(t)
  const store = await openStore(storeAt(redis.socket))
  t.teardown(() => store.close())
  const newer = FORMAT.written + 1
  await agreeOnFormat(store, { written: newer, readableFrom: newer })
  await t.rejects(startService(t, { redis }), { message: /newer version of Tabir/ })
  t.equal(await store.ask((client) => client.dbsize()), 1, 'the refused start wrote nothing')

  await store.ask((client) => client.hset(keys.format, 'readableFrom', FORMAT.written))
  const { app } = await startService(t, { redis })
  t.equal((await app.inject({ url: '/health/ready' })).statusCode, 200)
})

t.test('a store of an older format is refused with instructions by api, worker and commands', async (t) => {
  const redis = await startRedis(t)
  await keyFor(await startService(t, { redis, sealKey: SEAL_KEY }), 'platform', ['match'])
  const store = await openStore(storeAt(redis.socket))
  t.teardown(() => store.close())
  const older = { message: /older version of Tabir: in format 1\. This one reads format \d+ and newer.* empty data folder/ }
  const env = { REDIS_SOCKET: redis.socket, TABIR_DATA_DIR: t.testdir() }
  const refusedBy = async () => {
    await t.rejects(checkFormat(store), older)
    await t.rejects(agreeOnFormat(store), older)
    await t.rejects(startService(t, { redis, sealKey: SEAL_KEY }), older)
    const life = caseLifeHandler({ target: storeAt(redis.socket), now: Date.now, warn: (line) => t.fail(line) })
    await t.rejects(life('expire'), older)
  }
  await store.ask((client) => client.del(keys.format)) // as before formats existed
  await refusedBy()
  for (const command of [
    ['keys', 'list'],
    ['audit', 'list'],
    ['trust', 'disputes'],
  ])
    t.match(await tabir(env, ...command), { status: 1, out: '', errors: older.message }, command.join(' '))
  await store.ask((client) => client.hset(keys.format, { written: 1, readableFrom: 1 }))
  await refusedBy()
  t.equal(await store.ask((client) => client.hget(keys.format, 'written')), '1', 'the format is unchanged')
})
