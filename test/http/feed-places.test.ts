// A follower that opens feed streams without limit ends none of another follower.

import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import t from 'tap'
import { keyFor, startService, until } from '../helpers/service.js'

const OF_ONE_KEY = 20

t.test('a key beyond its limit of feed streams loses its own oldest, and other keys are served', async (t) => {
  const service = await startService(t)
  const address = await service.app.listen({ host: '127.0.0.1', port: 0 })
  const greedy = await keyFor(service, 'greedy', ['feed'])
  const other = await keyFor(service, 'other', ['feed'])
  const ended: string[] = []
  const listen = async (name: string, headers: Record<string, string>) => {
    const request = get(`${address}/v1/feed`, { headers: { ...headers, accept: 'text/event-stream' }, agent: false })
    request.on('error', () => {})
    t.teardown(() => request.destroy())
    const [response]: IncomingMessage[] = await once(request, 'response')
    response
      ?.resume()
      .on('error', () => {})
      .on('end', () => ended.push(name))
    return response?.statusCode
  }
  t.equal(await listen('other', other.headers), 200)
  for (let i = 0; i < OF_ONE_KEY + 3; i++) t.equal(await listen(`greedy ${i}`, greedy.headers), 200)
  await until(() => ended.length >= 3, 10_000)
  t.same(ended.sort(), ['greedy 0', 'greedy 1', 'greedy 2'])
  t.equal(await listen('other again', other.headers), 200)
})
