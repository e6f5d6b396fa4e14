// How much the store grows: bytes of Redis memory and of its log for each kind of record, from samples written as the service writes them.
//   node build.mjs && node bench/growth.mjs
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { readConfig } from '../dist/src/boot/config.js'
import { noteInAudit } from '../dist/src/store/audit/audit.js'
import { openRedisServer } from '../dist/src/store/embedded/embedded-redis.js'
import { openStore } from '../dist/src/store/redis/client.js'
import { keyFor, randomHashText, startService } from '../dist/test/helpers/service.js'

const COUNT = 2000
const folder = mkdtempSync(join(tmpdir(), 'tabir-growth-'))
const endings = []
const t = { teardown: (end) => endings.unshift(end) }
const server = await openRedisServer(readConfig({ PATH: process.env.PATH, TABIR_DATA_DIR: folder }))
const redis = { socket: server.socket, dataDir: folder, server }
const client = new Redis(server.socket)
const service = await startService(t, { redis })
const store = await openStore({ url: undefined, socket: server.socket })
const { headers } = await keyFor(service, 'an organisation')
const post = async (url, payload, more = headers) => {
  const answer = await service.app.inject({ method: 'POST', url, payload, headers: more })
  if (answer.statusCode >= 300) throw new Error(`${url}: ${answer.statusCode} ${answer.body}`)
  return answer.json()
}
const memory = async () => Number(/^used_memory_dataset:(\d+)/m.exec(await client.info('memory'))[1])
const logBytes = () => {
  const log = join(folder, 'redis/appendonlydir')
  return readdirSync(log).reduce((sum, name) => sum + statSync(join(log, name)).size, 0)
}

async function measure(what, write, count = COUNT) {
  for (let i = 0; i < 50; i++) await write(i) // what is made once
  await service.services.settled()
  const [memoryBefore, logBefore] = [await memory(), logBytes()]
  const atOnce = 20
  for (let i = 0; i < count; i += atOnce) await Promise.all(Array.from({ length: atOnce }, (_, j) => write(50 + i + j)))
  await service.services.settled()
  await new Promise((resolve) => setTimeout(resolve, 1500)) // acts are chained each second
  const each = (bytes) => Math.round(bytes / count)
  console.log(`| ${what} | ${each((await memory()) - memoryBefore)} | ${each(logBytes() - logBefore)} |`)
}

const signals = () => [{ type: 'pdq', hash: randomHashText(), quality: 100 }]
const known = randomHashText()
await post('/v1/banks', { name: 'growth' })
await post('/v1/banks/growth/signals', { signals: [{ type: 'pdq', hash: known }] })
console.log('| for each | Redis [bytes] | its log, until it is rewritten [bytes] |\n| --- | --- | --- |')
const opened = []
await measure('case', async () => {
  const { caseNumber, token } = await post('/v1/cases', { adult: true, category: 'nude' }, {})
  opened.push({ url: `/v1/cases/${caseNumber}/hashes`, authorization: `Bearer ${token}` })
})
await measure('image of a case, one hash', async (i) => {
  const { url, authorization } = opened[i % opened.length]
  await post(url, { images: [{ signals: signals() }] }, { authorization })
})
await measure('signal of a bank, handed in as a hash', () =>
  post('/v1/banks/growth/signals', { signals: [{ type: 'pdq', hash: randomHashText() }] }),
)
await measure('match that is found, of one image', () =>
  post('/v1/match', { queries: [{ signals: [{ type: 'pdq', hash: known }] }] }),
)
await measure('query that finds nothing', () => post('/v1/match', { queries: [{ signals: signals() }] }))
await measure('entry of the audit log', (i) =>
  noteInAudit(store, {
    act: 'key.created',
    by: 'operator',
    about: { keyId: `k${i}`, orgId: randomBytes(8).toString('hex') },
    atMs: Date.now(),
  }),
)
// From here on what happens to a case is an event, which waits for a messenger.
await post('/v1/webhooks', { url: 'https://hooks.example/', events: ['case.updated', 'signal.withdrawn'] })
await measure(
  'withdrawal of a case, with its event for webhooks',
  async () => {
    const { url, authorization } = opened.pop()
    const own = url.replace('/hashes', '')
    const answer = await service.app.inject({ method: 'DELETE', url: own, headers: { authorization } })
    if (answer.statusCode !== 200) throw new Error(answer.body)
  },
  1000,
)

const day = `{tabir}:daily-counts:${new Date().toISOString().slice(0, 10)}`
console.log(`\nStatistics of one day, of one organisation: ${await client.memory('USAGE', day)} bytes.`)
const lines = service.log.filter((line) => line.includes('"msg":"request"'))
console.log(
  `Log of requests: ${Math.round(lines.reduce((sum, line) => sum + line.length, 0) / lines.length)} bytes a line, of ${lines.length}.`,
)

await store.close()
client.disconnect()
for (const end of endings) await end()
await server.stop()
rmSync(folder, { recursive: true, force: true })
process.exit(0)
