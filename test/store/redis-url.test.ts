import t from 'tap'
import { parseRedisUrl } from '../../src/store/redis/redis-url.js'

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
  ]) {
    t.throws(() => parseRedisUrl(wrong), { message: /REDIS_URL/ })
    try {
      parseRedisUrl(wrong)
    } catch (error) {
      t.notMatch(String(error), /secret/)
    }
  }
})
