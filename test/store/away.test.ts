// What a socket or Redis says when it cannot be used now is the caller's to try again; what is wrong here is not.

import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import t from 'tap'
import { Problem } from '../../src/domain/problem.js'
import { isAway } from '../../src/store/store.js'

t.test('a socket that the other side has closed', async (t) => {
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
  t.ok(error, 'Node has something to say')
  t.ok(isAway(error), String(error))
  socket.destroy()
  const destroyed = await new Promise((resolve) => socket.write('PING\r\n', (error) => resolve(error)))
  t.ok(isAway(destroyed), String(destroyed))
})

t.test('what Redis and ioredis say', async (t) => {
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
    t.ok(isAway(new Error(text)), text)
  for (const error of [new Error('ERR wrong number of arguments'), new TypeError('x is undefined'), 'text', null])
    t.notOk(isAway(error), String(error))
  t.notOk(isAway(new Problem('store-away')), 'said already')
})
