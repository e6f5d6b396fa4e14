import t from 'tap'
import { openStore } from '../../src/store/redis/client.js'
import { parseRedisUrl } from '../../src/store/redis/redis-url.js'
import { startNamed } from '../helpers/named-redis.js'

t.test('a Redis URL names one server, or Sentinels and their master', async (t) => {
  t.same(parseRedisUrl('rediss://user:secret@redis.example:6380/2'), {
    address: { kind: 'server', url: 'rediss://user:secret@redis.example:6380/2' },
    replicas: 0,
  })
  t.match(parseRedisUrl('redis://127.0.0.1:6379?replicas=1'), {
    address: { url: /^redis:\/\/127\.0\.0\.1:6379$/ },
    replicas: 1,
  })
  t.same(parseRedisUrl('redis+sentinel://:p%40ss@a.example:26380,[::1]:7,b/mine?replicas=2'), {
    address: {
      kind: 'sentinel',
      sentinels: [
        { host: 'a.example', port: 26_380 },
        { host: '::1', port: 7 },
        { host: 'b', port: 26_379 },
      ],
      name: 'mine',
      username: undefined,
      password: 'p@ss',
      isTls: false,
    },
    replicas: 2,
  })
  t.match(parseRedisUrl('rediss+sentinel://u:p@a/mine'), { address: { username: 'u', password: 'p', isTls: true } })
})

t.test('an invalid Redis URL is refused without an echo of its password', async (t) => {
  for (const wrong of [
    'redis+sentinel://:secret@a:26379',
    'redis+sentinel://:secret@/mine',
    'redis+sentinel://:secret@a:x/mine',
    'redis+cluster://:secret@a:6379',
    'redis://:secret@a?replicas=many',
    'redis+sentinel://:secret@a/mine?replicas=-1',
    'redis://:secret@a:6379/mine',
    'redis://:secret@a:6379/1/2',
  ]) {
    t.throws(() => parseRedisUrl(wrong), { message: /REDIS_URL/ })
    try {
      parseRedisUrl(wrong)
    } catch (error) {
      t.notMatch(String(error), /secret/)
    }
  }
})

t.test('a store is in the database of its URL, and in none where that does not exist', async (t) => {
  const { port } = await startNamed(t, 'zero')
  const storeIn = (database: string) => openStore({ url: `redis://127.0.0.1:${port}${database}`, socket: undefined })
  for (const [database, found] of [
    ['', 'zero'],
    ['/0', 'zero'],
    ['/5', null],
  ] as const) {
    const store = await storeIn(database)
    t.equal(await store.ask((redis) => redis.get('where')), found, database)
    await store.close()
  }
  await t.rejects(storeIn('/99'), { message: /^Redis has no database with the number at the end of REDIS_URL/ })
})
