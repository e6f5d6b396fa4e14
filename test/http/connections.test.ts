// One attacker, many connections, and whose address counts: with real sockets.

import { readFileSync } from 'node:fs'
import { get } from 'node:https'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { UNNAMED_PROXY } from '../../src/http/plugins/unnamed-proxies.js'
import { startRedis } from '../helpers/redis.js'
import { refused } from '../helpers/refusal.js'
import { startService, type TestService, until } from '../helpers/service.js'
import { connectionsOf, listen, readAll } from '../helpers/sockets.js'

const now = () => Date.UTC(2026, 0, 1, 12, 0, 30)
const redis = await startRedis(t)
const PROXY = '10.0.0.1'
const ASK = 'GET /health/live HTTP/1.1\r\nHost: x\r\n'

function openBehind({ app }: TestService, forwarded: string) {
  const headers = { 'x-forwarded-for': forwarded }
  return app.inject({ method: 'POST', url: '/v1/cases', payload: { adult: true }, remoteAddress: PROXY, headers })
}

/** A connection from an address of this machine. */
function from(t: Test, localAddress: string, port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  return socket
}

async function answered(t: Test, address: string, port: number): Promise<boolean> {
  const socket = from(t, address, port)
  socket.write(`${ASK}Connection: close\r\n\r\n`)
  return /^HTTP\/1\.1 200 /.test(await readAll(socket).catch(() => ''))
}

t.test(
  'behind a proxy that is not named one attacker uses up everybody’s cases; behind a named one, only their own',
  async (t) => {
    const maxOf = { 'case-opening': 3 }
    const unnamed = await startService(t, { redis, maxOf, now })
    for (let i = 0; i < 3; i++) t.equal((await openBehind(unnamed, '203.0.113.5')).statusCode, 201)
    refused(t, await openBehind(unnamed, '198.51.100.9'), 'rate-limited', 'somebody else is locked out')
    const told = unnamed.log.filter((line) => line.includes(UNNAMED_PROXY))
    t.equal(told.length, 1, 'the operator is told, once')
    t.notMatch(told.join(), /203\.0\.113|10\.0\.0/, 'and no address is logged')

    const named = await startService(t, { redis, maxOf, now, trustedProxies: [PROXY] })
    for (let i = 0; i < 3; i++) t.equal((await openBehind(named, '203.0.113.5')).statusCode, 201)
    refused(t, await openBehind(named, '203.0.113.5'), 'rate-limited')
    refused(
      t,
      await openBehind(named, '192.0.2.77, 203.0.113.5'),
      'rate-limited',
      'an address that the attacker wrote in front',
    )
    refused(t, await openBehind(named, '203.0.113.5:4711'), 'rate-limited', 'a port that the proxy adds is no other caller')
    t.equal((await openBehind(named, '198.51.100.9')).statusCode, 201, 'somebody else gets in')
    for (let i = 0; i < 3; i++) t.equal((await openBehind(named, `nonsense ${i}`)).statusCode, 201)
    refused(t, await openBehind(named, 'nonsense 4'), 'rate-limited', 'all nonsense counts as one caller')
    t.notOk(named.log.some((line) => line.includes(UNNAMED_PROXY)))
  },
)

t.test('one address holds so many connections, and the others are served', async (t) => {
  const service = await startService(t, {
    redis,
    hydrated: false,
    serverLimits: { connectionsOfAddress: { private: 5, public: 5 } },
    trustedProxies: ['127.0.0.3'],
  })
  const port = await listen(service.app)
  const attacker = Array.from({ length: 40 }, () => from(t, '127.0.0.2', port))
  for (const socket of attacker) socket.write('GET / HTTP/1.1\r\n') // headers that never end
  await until(() => attacker.filter(({ closed }) => closed).length === 35)
  t.equal(await connectionsOf(service.app), 5)
  t.ok(await answered(t, '127.0.0.1', port), 'another address')
  t.notOk(await answered(t, '127.0.0.2', port))

  const proxy = Array.from({ length: 12 }, () => from(t, '127.0.0.3', port))
  await until(async () => (await connectionsOf(service.app)) === 17)
  t.ok(await answered(t, '127.0.0.3', port), 'a named proxy brings all callers')
  for (const socket of [...attacker, ...proxy]) socket.destroy()
  await until(async () => (await connectionsOf(service.app)) === 0)
  t.ok(await answered(t, '127.0.0.2', port), 'what was closed counts no more')
})

t.test('when nearly all places are taken, connections that wait for a next request make room', async (t) => {
  const { app } = await startService(t, { redis, hydrated: false, serverLimits: { connections: 10 } })
  const port = await listen(app)
  for (let i = 0; i < 10; i++) {
    const idle = from(t, `127.0.0.${i + 10}`, port)
    idle.write(`${ASK}\r\n`)
    await new Promise((resolve) => idle.once('data', resolve)) // kept alive
  }
  for (let i = 0; i < 3; i++) t.ok(await answered(t, '127.0.0.1', port))
})

t.test(
  'over TLS, a connection without a handshake is closed as one without headers is, and counts until then',
  async (t) => {
    const file = (name: string) => readFileSync(new URL(`../../../test/data/${name}`, import.meta.url))
    const { app } = await startService(t, {
      redis,
      hydrated: false,
      tls: { cert: file('hooks-example.cert.pem'), key: file('hooks-example.key.pem') },
      serverLimits: { headersMs: 500, connectionsOfAddress: { private: 3, public: 3 } },
    })
    const port = await listen(app)
    const status = (localAddress: string) =>
      new Promise<number | undefined>((resolve) => {
        const options = { port, localAddress, path: '/health/live', rejectUnauthorized: false, agent: false } as const
        get(options, (answer) => answer.resume().on('end', () => resolve(answer.statusCode))).on('error', () => resolve(0))
      })
    for (let i = 0; i < 4; i++) t.equal(await status('127.0.0.2'), 200, 'one after the other')
    const silent = Array.from({ length: 3 }, () => from(t, '127.0.0.2', port))
    await Promise.all(silent.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
    t.equal(await status('127.0.0.2'), 0, 'beyond its connections')
    t.equal(await status('127.0.0.1'), 200)
    await until(() => silent.every(({ closed }) => closed), 20_000)
    t.equal(await status('127.0.0.2'), 200)
  },
)
