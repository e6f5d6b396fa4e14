// Certificates are renewed every few weeks: a running api loads the new one without closing connections.

import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { authority } from './helpers/authority.js'
import { startRedis } from './helpers/redis.js'
import { startService, until } from './helpers/service.js'
import { certificateAt, startTlsApi } from './helpers/tls-api.js'
import { startMessenger, startWorkers } from './helpers/workers.js'

t.test('a new certificate is loaded on SIGHUP and without it, and a broken file changes nothing', async (t) => {
  const { ca, filesFor } = authority(t)
  const files = filesFor('127.0.0.1')
  const api = await startTlsApi(t, (await startRedis(t)).socket, files)
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca })
  t.teardown(() => agent.destroy())
  const served = async () => (await certificateAt(api.port, ca)).fingerprint256
  const metric = async (name: string) => {
    const { body } = await ask(api.port, '/metrics', agent)
    return Number(new RegExp(`^tabir_certificate_${name}\\{certificate="api"\\} (\\S+)$`, 'm').exec(body)?.[1])
  }
  const { connection } = await ask(api.port, '/health/live', agent)
  const first = await served()

  filesFor('127.0.0.1')
  api.child.kill('SIGHUP')
  await until(async () => (await served()) !== first)
  t.match(await ask(api.port, '/health/live', agent), { status: 200, connection }, 'an open connection continues')

  const second = await served()
  filesFor('127.0.0.1')
  await until(async () => (await served()) !== second)
  const { fingerprint256: third, valid_to } = await certificateAt(api.port, ca)
  t.equal(await metric('expires_timestamp_seconds'), Date.parse(valid_to) / 1000)

  const other = filesFor('127.0.0.2')
  const [cert, key] = [readFileSync(files.certFile), readFileSync(files.keyFile)]
  const whole = async () => {
    writeFileSync(files.certFile, cert)
    writeFileSync(files.keyFile, key)
    api.child.kill('SIGHUP')
    await until(async () => (await metric('rejected')) === 0)
  }
  writeFileSync(files.certFile, 'no certificate')
  api.child.kill('SIGHUP')
  await until(async () => (await metric('rejected')) === 1)
  t.equal(await served(), third, 'the previous one')
  t.match(api.log(), /"certificate":"api","why":"[^"]+","msg":"certificate refused"/)
  await whole()
  writeFileSync(files.keyFile, readFileSync(other.keyFile))
  await until(async () => (await metric('rejected')) === 1)
  t.equal(await served(), third)
  t.match(api.log(), /"why":"[^"]*key values mismatch/)
  await whole()
  t.match(await ask(api.port, '/health/live', agent), { status: 200, connection })
  api.child.kill('SIGTERM')
  t.same(await api.exited, [0, null])
})

t.test('workers and the messenger keep running after SIGHUP', async (t) => {
  const { redis } = await startService(t)
  const parts = [await startWorkers(t, redis, { TABIR_HASHERS: '1' }), await startMessenger(t, redis, new Set())]
  for (const part of parts) {
    const exited = once(part, 'exit')
    part.kill('SIGHUP')
    part.kill('SIGTERM')
    t.same(await exited, [0, null], 'it ended by SIGTERM')
  }
})

async function ask(port: number, path: string, agent: Agent) {
  const asking = request({ port, host: '127.0.0.1', path, agent }).end()
  const [response] = await once(asking, 'response')
  return { status: response.statusCode, connection: response.socket.localPort, body: await text(response) }
}
