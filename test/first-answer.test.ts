import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { onceRedisAnswers } from '../src/app/first-answer.js'
import { openQueue } from '../src/app/hashing-queue.js'
import { Problem } from '../src/domain/problem.js'
import { openStore } from '../src/store/redis/client.js'
import { openLine } from './faults/line.js'
import { startRedis } from './helpers/redis.js'

t.test('opening the queue waits while Redis is silent, and reports it once', async (t) => {
  const { socket, dataDir } = await startRedis(t)
  const line = await openLine(join(dataDir, 'line'), () => socket)
  t.teardown(() => line.close())
  line.silence()
  const said: string[] = []
  const onWaiting = (text: string) => {
    said.push(text)
    line.heal()
  }

  const queue = await onceRedisAnswers(() => openQueue({ url: undefined, socket: line.socket }), { onWaiting })

  t.match(said, [/^Waiting for Redis, for 30 s at most: it cannot be used yet \(.*timed out.*\)\.$/])
  t.equal(said.length, 1)
  await queue.close()
})

t.test('a wait that times out names its cause, and no address with a password', async (t) => {
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const address = closed.address()
  const port = typeof address === 'object' ? address?.port : undefined
  closed.close()
  await once(closed, 'close')
  const target = { url: `redis://:secret-word@127.0.0.1:${port}`, socket: undefined }
  const said: string[] = []

  const waiting = onceRedisAnswers(() => openStore(target), { onWaiting: (text) => said.push(text), timeoutMs: 20 })

  const error = await waiting.catch((error: Error) => error)
  t.match(error, { message: /^Redis could not be used for 0\.02 s \(.*ECONNREFUSED.*\)\. Does it run/ })
  t.notMatch(`${error} ${said}`, /secret-word/)
})

t.test('a password that Redis refuses is reported at once', async (t) => {
  const { server, socket } = await startRedis(t)
  const relay = createServer((near) => {
    const far = connect(socket)
    near.pipe(far).pipe(near)
    for (const end of [near, far]) end.on('error', () => {})
    near.on('close', () => far.destroy())
  }).listen(0, '127.0.0.1')
  await once(relay, 'listening')
  t.teardown(() => relay.close())
  t.ok(server)
  const address = relay.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const target = { url: `redis://someone:secret-word@127.0.0.1:${port}`, socket: undefined }
  const onWaiting = () => t.fail('nothing to wait for')

  const error = await onceRedisAnswers(() => openStore(target), { onWaiting }).catch((error: Error) => error)

  t.match(error, { message: /^Redis cannot be used \(WRONGPASS .*Check user and password in REDIS_URL/ })
  t.notMatch(String(error), /secret-word/)
})

t.test('a programming error is not retried, and an aborted wait ends', async (t) => {
  const onWaiting = () => {}
  let tries = 0
  const wrong = async () => {
    tries++
    throw new TypeError('x is undefined')
  }
  await t.rejects(onceRedisAnswers(wrong, { onWaiting }), TypeError)
  t.equal(tries, 1)

  const calledOff = new AbortController()
  const away = async () => {
    throw new Problem('store-unavailable')
  }
  const waiting = onceRedisAnswers(away, { onWaiting: () => calledOff.abort(), signal: calledOff.signal })
  await t.rejects(waiting, { name: 'AbortError' })
})
