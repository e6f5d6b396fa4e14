// Errors of a socket or of Redis that are worth a retry count as unavailable; errors of our code do not.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { Problem } from '../../src/domain/problem.js'
import { openStore } from '../../src/store/redis/client.js'
import { isUnavailable } from '../../src/store/redis/unavailable-cause.js'
import { listen } from '../helpers/named-redis.js'
import { startRedis } from '../helpers/redis.js'
import { until } from '../helpers/service.js'

t.test('writing to a socket that the other side closed counts as unavailable', async (t) => {
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const socket = connect(address.port, '127.0.0.1')
  socket.resume()
  await once(socket, 'end')
  const error = await new Promise((resolve) => {
    socket.on('error', () => {})
    socket.write('PING\r\n', (error) => resolve(error))
  })
  t.ok(error, 'Node reports an error')
  t.ok(isUnavailable(error), String(error))
  socket.destroy()
  const destroyed = await new Promise((resolve) => socket.write('PING\r\n', (error) => resolve(error)))
  t.ok(isUnavailable(destroyed), String(destroyed))
})

t.test('known messages of Redis and ioredis count as unavailable, and other errors do not', async (t) => {
  for (const text of [
    'Connection is closed.',
    "Stream isn't writeable and enableOfflineQueue options is false",
    'Command timed out',
    'Command aborted due to connection close',
    'LOADING Redis is loading the dataset in memory',
    'READONLY You can not write against a read only replica.',
    'OOM command not allowed',
    'connect ECONNREFUSED 127.0.0.1:1',
  ])
    t.ok(isUnavailable(new Error(text)), text)
  for (const error of [new Error('ERR wrong number of arguments'), new TypeError('x is undefined'), 'text', null])
    t.notOk(isUnavailable(error), String(error))
  t.notOk(isUnavailable(new Problem('store-unavailable')), 'a Problem is not wrapped again')
})

// Redis ran the command, and the connection breaks before the answer. If the library sent it again, opening a case would report that
// the case exists.
t.test('a write whose answer is lost is reported unavailable and not repeated', async (t) => {
  const redis = await startRedis(t)
  const path = join(redis.dataDir, 'line')
  let isArmed = false
  const line = createServer((near) => {
    const far = connect(redis.socket)
    near.pipe(far)
    far.on('data', (answer) => {
      const isLost = isArmed
      if (!isLost) near.write(answer)
      else {
        isArmed = false
        near.destroy()
      }
    })
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      end.on('error', () => {})
      end.on('close', () => other.destroy())
    }
  }).listen(path)
  await once(line, 'listening')
  const store = await openStore({ url: undefined, socket: path })
  t.teardown(async () => {
    await store.close()
    line.close()
  })
  const count = { numberOfKeys: 1, lua: "return redis.call('INCR', KEYS[1])" } as const
  t.equal(await store.write(count, ['n'], []), 1)

  isArmed = true
  await t.rejects(store.write(count, ['n'], []), { code: 'store-unavailable' })
  await until(async () => (await store.write(count, ['n'], []).catch(() => undefined)) !== undefined)
  t.equal(await store.ask((client) => client.get('n')), '3', 'the first write, the one without an answer and the next')
})

t.test('a connection to a host that vanished silently is replaced after the command timeout', async (t) => {
  const redis = await startRedis(t)
  const ends: Socket[] = []
  const line = await listen(t, (near) => {
    const far = connect(redis.socket)
    for (const end of [near, far]) end.on('error', () => {})
    near.on('close', () => far.destroy())
    near.pipe(far).pipe(near)
    ends.push(far)
  })
  const store = await openStore({ url: `redis://127.0.0.1:${line.port}`, socket: undefined, commandTimeoutMs: 500 })
  t.teardown(() => store.close())
  for (const far of ends) far.unpipe()

  await t.rejects(
    store.ask((redis) => redis.get('a')),
    { code: 'store-unavailable' },
  )
  await until(() =>
    store
      .ask((redis) => redis.get('a'))
      .then(
        () => true,
        () => false,
      ),
  )
  t.ok(line.reached() > 2, 'over another connection')
})
