// Limits of connections and requests by address, with real sockets and proxies.

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

t.test('rate limits count the client address only behind a named proxy; an unnamed proxy is logged once', async (t) => {
  const maxOf = { 'case-opening': 3 }
  const unnamed = await startService(t, { redis, maxOf, now })
  for (let i = 0; i < 3; i++) t.equal((await openBehind(unnamed, '203.0.113.5')).statusCode, 201)
  refused(t, await openBehind(unnamed, '198.51.100.9'), 'rate-limited', 'another client shares the limit')
  const told = unnamed.log.filter((line) => line.includes(UNNAMED_PROXY))
  t.equal(told.length, 1, 'the log warns once')
  t.notMatch(told.join(), /203\.0\.113|10\.0\.0/, 'no address is logged')

  const named = await startService(t, { redis, maxOf, now, trustedProxies: [PROXY] })
  for (let i = 0; i < 3; i++) t.equal((await openBehind(named, '203.0.113.5')).statusCode, 201)
  refused(t, await openBehind(named, '203.0.113.5'), 'rate-limited')
  refused(t, await openBehind(named, '192.0.2.77, 203.0.113.5'), 'rate-limited', 'a forged address in front of the real one')
  refused(
    t,
    await openBehind(named, '203.0.113.5:4711'),
    'rate-limited',
    'a port that the proxy adds does not change the caller',
  )
  t.equal((await openBehind(named, '198.51.100.9')).statusCode, 201, 'another client has its own limit')
  for (let i = 0; i < 3; i++) t.equal((await openBehind(named, `nonsense ${i}`)).statusCode, 201)
  refused(t, await openBehind(named, 'nonsense 4'), 'rate-limited', 'all invalid addresses count as one caller')
  t.notOk(named.log.some((line) => line.includes(UNNAMED_PROXY)))
})

t.test('an address beyond its limit of connections is cut off, and other addresses are served', async (t) => {
  const service = await startService(t, {
    redis,
    hydrated: false,
    serverLimits: { connectionsOfAddress: { private: 5, public: 5 } },
    trustedProxies: ['127.0.0.3'],
  })
  const port = await listen(service.app)
  const attacker = Array.from({ length: 40 }, () => from(t, '127.0.0.2', port))
  for (const socket of attacker) socket.write('GET / HTTP/1.1\r\n') // incomplete headers
  await until(() => attacker.filter(({ closed }) => closed).length === 35)
  t.equal(await connectionsOf(service.app), 5)
  t.ok(await answered(t, '127.0.0.1', port), 'another address')
  t.notOk(await answered(t, '127.0.0.2', port))

  const proxy = Array.from({ length: 12 }, () => from(t, '127.0.0.3', port))
  await until(async () => (await connectionsOf(service.app)) === 17)
  t.ok(await answered(t, '127.0.0.3', port), 'a named proxy has no such limit')
  for (const socket of [...attacker, ...proxy]) socket.destroy()
  await until(async () => (await connectionsOf(service.app)) === 0)
  t.ok(await answered(t, '127.0.0.2', port), 'closed connections do not count')
})

t.test('at the limit of all connections, idle keep-alive connections are closed for new ones', async (t) => {
  const { app } = await startService(t, { redis, hydrated: false, serverLimits: { connections: 10 } })
  const port = await listen(app)
  for (let i = 0; i < 10; i++) {
    const idle = from(t, `127.0.0.${i + 10}`, port)
    idle.write(`${ASK}\r\n`)
    await new Promise((resolve) => idle.once('data', resolve)) // kept alive
  }
  for (let i = 0; i < 3; i++) t.ok(await answered(t, '127.0.0.1', port))
})

t.test('over TLS, a connection without a handshake counts, and is closed after the header timeout', async (t) => {
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
  for (let i = 0; i < 4; i++) t.equal(await status('127.0.0.2'), 200, 'one connection at a time')
  const silent = Array.from({ length: 3 }, () => from(t, '127.0.0.2', port))
  await Promise.all(silent.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
  t.equal(await status('127.0.0.2'), 0, 'beyond its limit')
  t.equal(await status('127.0.0.1'), 200)
  await until(() => silent.every(({ closed }) => closed), 20_000)
  t.equal(await status('127.0.0.2'), 200)
})
