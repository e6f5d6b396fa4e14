// An attacker between Tabir and Redis with another certificate gets no password and no data.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import t from 'tap'
import { openStore } from '../../src/store/redis/client.js'

t.test('over TLS, a Redis with an untrusted certificate gets no data', async (t) => {
  const file = (name: string) => readFileSync(new URL(`../../../test/data/${name}`, import.meta.url))
  let told = ''
  let handshakes = 0
  const server = createServer(
    { cert: file('hooks-example.cert.pem'), key: file('hooks-example.key.pem') },
    (socket) => void socket.on('data', (bytes) => (told += bytes.toString())).on('error', () => {}),
  )
  server.on('connection', () => handshakes++)
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const at = `:secret@127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const url of [`rediss://${at}`, `rediss+sentinel://${at}/master`])
    await t.rejects(openStore({ url, socket: undefined, commandTimeoutMs: 500 }), url.slice(0, 12))
  t.ok(handshakes >= 2, 'a connection was made each time')
  t.equal(told, '')
})
