// A free child need not wait for its next picture.

import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import t from 'tap'
import { openQueue } from '../../src/app/hashing-queue.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { until } from '../helpers/service.js'
import { startWorkers } from '../helpers/workers.js'

t.test('a worker fetches the next picture while its previous answer is still under way', async (t) => {
  const redis = await startRedis(t)
  const taken: string[] = []
  const held: ServerResponse[] = []
  let holds = true
  let givenUp = 0
  const handoff = createServer((request, response) => {
    if (request.method === 'GET') {
      taken.push(request.url ?? '')
      response.end('no picture')
      return
    }
    request.resume()
    if (!holds) {
      response.writeHead(204).end()
      return
    }
    held.push(response)
    response.on('close', () => {
      if (!response.writableEnded) givenUp++
    })
  })
  handoff.listen(0, '127.0.0.1')
  await once(handoff, 'listening')
  t.teardown(() => {
    handoff.close()
    handoff.closeAllConnections()
  })
  const address = handoff.address()
  const handoffUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  await startWorkers(t, redis, { TABIR_HASHERS: '1' })
  const queue = await openQueue(storeAt(redis.socket))
  t.teardown(() => queue.close())

  for (const letter of 'ab')
    await queue.enqueue({ handoffUrl, ticket: letter.repeat(43), purpose: 'submission', details: 'none' })
  await until(() => taken.length === 2)

  t.equal(givenUp, 0, 'no client was told that the first answer had arrived')
  holds = false
  for (const response of held) response.writeHead(204).end()
})
