import t from 'tap'
import { agreeOnFormat, checkFormat, FORMAT } from '../../src/store/format.js'
import { keys } from '../../src/store/keys.js'
import { openStore } from '../../src/store/store.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { startService } from '../helpers/service.js'

t.test('a store says in which format it is written', async (t) => {
  const redis = await startRedis(t)
  const store = await openStore(storeAt(redis.socket))
  t.teardown(() => store.close())
  const read = () => store.ask((client) => client.hgetall(keys.format))

  await checkFormat(store) // of before there were formats
  t.same(await read(), {}, 'looking notes nothing')
  await agreeOnFormat(store)
  await agreeOnFormat(store)
  t.same(await read(), { written: String(FORMAT.written), readableFrom: String(FORMAT.readableFrom) })

  await agreeOnFormat(store, { written: 3, readableFrom: 2 })
  t.same(await read(), { written: '3', readableFrom: '2' }, 'an upgrade')
  await agreeOnFormat(store, { written: 2, readableFrom: 2 })
  t.same(await read(), { written: '3', readableFrom: '2' }, 'a downgrade by one version goes on, and does not call it older')

  await agreeOnFormat(store, { written: 4, readableFrom: 3 })
  const before = await read()
  for (const look of [() => checkFormat(store, 2), () => agreeOnFormat(store, { written: 2, readableFrom: 2 })])
    await t.rejects(look(), { message: /newer version of Tabir: in format 4, .* before format 3 .* has format 2/ })
  t.same(await read(), before, 'who refuses changes nothing')
  await agreeOnFormat(store, { written: 3, readableFrom: 2 })
})

t.test('an api starts on what a newer version wrote only if that says so', async (t) => {
  const redis = await startRedis(t)
  const store = await openStore(storeAt(redis.socket))
  t.teardown(() => store.close())
  const newer = FORMAT.written + 1
  await agreeOnFormat(store, { written: newer, readableFrom: newer })
  await t.rejects(startService(t, { redis }), { message: /newer version of Tabir/ })
  t.equal(await store.ask((client) => client.dbsize()), 1, 'and made nothing in it')

  await store.ask((client) => client.hset(keys.format, 'readableFrom', FORMAT.written))
  const { app } = await startService(t, { redis })
  t.equal((await app.inject({ url: '/health/ready' })).statusCode, 200)
})
