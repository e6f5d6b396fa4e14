// The client and the command line send keys and hashes only to the configured api.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { TabirProblem, tabirClient } from '../../packages/client/src/tabir-client.js'
import { ask } from '../../src/cli/remote.js'
import { randomHashText } from '../helpers/service.js'

const queries = [{ signals: [{ type: 'pdq' as const, hash: randomHashText() }] }]

async function listening(t: Test, answer: RequestListener, tls?: object): Promise<string> {
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('the client does not follow a redirect with its key and hashes', async (t) => {
  const asked: string[] = []
  const elsewhere = await listening(t, (request, response) => {
    asked.push(String(request.url))
    response.setHeader('content-type', 'application/json').end('{"results":[{"matches":[]}]}')
  })
  for (const status of [301, 302, 303, 307, 308]) {
    const url = await listening(
      t,
      (_, response) => void response.writeHead(status, { location: `${elsewhere}/v1/match` }).end(),
    )
    const client = tabirClient({ url, key: 'a key', wait: async () => {} })
    const error = await client.match(queries).catch((thrown: unknown) => thrown)
    t.ok(error instanceof TabirProblem && error.status === status, String(status))
  }
  t.same(asked, [])
})

t.test('an api with an untrusted certificate gets no request', async (t) => {
  const file = (name: string) => readFileSync(new URL(`../../../test/data/${name}`, import.meta.url))
  const tls = { cert: file('hooks-example.cert.pem'), key: file('hooks-example.key.pem') }
  let requests = 0
  const answer: RequestListener = (_, response) => {
    requests++
    response.end('{}')
  }
  const url = await listening(t, answer, tls)
  await t.rejects(tabirClient({ url, key: 'a key', maxTries: 1 }).match(queries))
  await t.rejects(ask({ url: new URL(url), key: 'a key' }, { method: 'GET', path: '/v1/banks' }))
  t.equal(requests, 0)
})
