// A whole service for canary pictures, and all places where parts of them could have been stored.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { z } from 'zod'
import { writtenForms } from '../../src/demo/written-forms.js'
import { createApiKey } from '../../src/services/keys/access.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { openStore } from '../../src/store/redis/client.js'
import type { Canary, Needle } from './canary.js'
import type { Multipart } from './multipart.js'
import { fetchPatiently } from './patiently.js'
import type { Picture } from './pictures.js'
import { startRedis, storeAt, type TestRedis } from './redis.js'
import { until } from './service.js'

export interface Api {
  readonly process: ChildProcess
  readonly url: string
  readonly output: string[]
}

export interface World {
  readonly redis: TestRedis
  readonly client: Redis
  /** For code that writes to TMPDIR. */
  readonly place: string
  /** Every command that Redis received, as MONITOR writes it. */
  readonly monitored: () => string
}

export async function open(t: Test): Promise<World> {
  const place = mkdtempSync(join(tmpdir(), 'tabir-canary-'))
  t.teardown(() => rmSync(place, { recursive: true, force: true }))
  const redis = await startRedis(t)
  const client = new Redis(redis.socket)
  const chunks: Buffer[] = []
  const monitor = connect(redis.socket).on('error', () => {})
  monitor.on('data', (chunk) => chunks.push(chunk))
  monitor.write('MONITOR\r\n')
  await until(() => chunks.length > 0)
  t.teardown(() => {
    monitor.destroy()
    client.disconnect()
  })
  return { redis, client, place, monitored: () => Buffer.concat(chunks).toString('latin1') }
}

/** Started as by the supervisor, with the most verbose log. */
export async function startApi(
  t: Pick<Test, 'teardown'>,
  { redis, place }: Pick<World, 'redis' | 'place'>,
  env: Readonly<Record<string, string>> = {},
): Promise<Api> {
  const child = fork(fileURLToPath(new URL('../../src/boot/server.js', import.meta.url)), {
    env: {
      PATH: process.env['PATH'],
      REDIS_SOCKET: redis.socket,
      TABIR_PORT: '0',
      TABIR_DATA_DIR: redis.dataDir,
      TABIR_LOG_LEVEL: 'trace',
      TMPDIR: place,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => output.push(text))
  const [message] = await once(child, 'message')
  const { url } = z.object({ ready: z.literal(true), url: z.string() }).parse(message)
  return { process: child, url, output }
}

/** Stops a process as when its supervisor ends. @returns its exit status */
export async function stopApi({ process }: Api): Promise<number | null> {
  process.disconnect()
  await once(process, 'exit')
  return process.exitCode
}

export function activeJobs({ client }: World): Promise<string[]> {
  return client.lrange('{tabir}:hash-image:active', 0, -1)
}

export async function makeKey(redis: TestRedis): Promise<string> {
  const store = await openStore(storeAt(redis.socket))
  const options = {
    org: 'platform',
    kind: 'platform',
    scopes: new Set(['match', 'signals:write', 'feedback', 'cases:write'] as const),
    env: 'test',
    nowMs: Date.now(),
  } as const
  const { key } = await createApiKey(createApiKeyStore(store), options)
  await store.close()
  return key
}

export async function openCase(api: Api) {
  const response = await fetchPatiently(`${api.url}/v1/cases`, {
    method: 'POST',
    body: '{"adult":true}',
    headers: { 'content-type': 'application/json' },
  })
  const { caseNumber, token } = z.object({ caseNumber: z.string(), token: z.string() }).parse(await response.json())
  const caseUrl = `${api.url}/v1/cases/${caseNumber}`
  return { caseUrl, url: `${caseUrl}/images`, headers: { authorization: `Bearer ${token}` } }
}

export interface Route {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

export async function send({ url, headers }: Route, body: Partial<Multipart>): Promise<{ status: number; body: string }> {
  const response = await fetchPatiently(url, {
    method: 'POST',
    ...(body.payload !== undefined && { body: new Uint8Array(body.payload) }),
    headers: { ...headers, ...body.headers },
  })
  return { status: response.status, body: await response.text() }
}

export function asJson(value: unknown): Multipart {
  return { payload: Buffer.from(JSON.stringify(value)), headers: { 'content-type': 'application/json' } }
}

/** Everything written, by the name of the place. */
export async function everything(
  { redis, client, place, monitored }: World,
  outputs: Readonly<Record<string, readonly string[]>>,
): Promise<[string, Buffer][]> {
  const found: [string, Buffer][] = []
  const names = await client.keysBuffer('*')
  found.push(['names of keys', Buffer.concat(names)])
  for (const name of names) {
    const dump = await client.dumpBuffer(name)
    found.push([`key ${name.toString('latin1')}`, Buffer.concat([await contentsOf(client, name), dump ?? Buffer.alloc(0)])])
  }
  await client.save()
  for (const [folder, label] of [
    [redis.dataDir, 'data'],
    [place, 'temp'],
  ] as const) {
    for (const path of filesIn(folder)) {
      const bytes = readFileSync(path)
      found.push([nameOf(path, label), Buffer.concat([Buffer.from(path), bytes])])
    }
  }
  for (const [who, lines] of Object.entries(outputs)) found.push([`what the ${who} wrote`, Buffer.from(lines.join(''))])
  found.push(['the monitor', Buffer.from(monitored(), 'latin1')])
  return found
}

export function nameOf(path: string, label: string): string {
  if (path.endsWith('.incr.aof')) return 'the log of redis'
  if (path.endsWith('dump.rdb')) return 'the dump of redis'
  return label === 'temp' && path.includes('planted') ? 'a file in a folder' : `${label}: ${path}`
}

export async function contentsOf(client: Redis, name: Buffer): Promise<Buffer> {
  const flat = (reply: unknown): Buffer[] =>
    Array.isArray(reply) ? reply.flatMap(flat) : [Buffer.isBuffer(reply) ? reply : Buffer.from(String(reply))]
  const readers: Readonly<Record<string, () => Promise<unknown>>> = {
    string: () => client.getBuffer(name),
    hash: () => client.callBuffer('HGETALL', name),
    list: () => client.callBuffer('LRANGE', name, 0, -1),
    set: () => client.smembersBuffer(name),
    zset: () => client.callBuffer('ZRANGE', name, 0, -1),
    stream: () => client.xrangeBuffer(name, '-', '+'),
  }
  const type = await client.type(name)
  if (type === 'none') return Buffer.alloc(0) // an expired lock
  const read = readers[type]
  if (read === undefined) throw new Error(`a key of a kind that this search cannot read: ${type}`)
  return Buffer.concat(flat(await read()))
}

export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  )
}

/** Writes the text to every place of the search, in every form that a program might use. */
export async function plant({ client, place }: World, { pattern, needles }: Canary): Promise<void> {
  const text = Buffer.concat([Buffer.from('before '), pattern, Buffer.from(' behind')])
  const pixels = needles.find(({ form }) => form === 'rgba pixels')?.bytes ?? Buffer.alloc(0)
  await client.set('planted:string', text)
  await client.hset('planted:hash', 'field', text)
  await client.rpush('planted:list', text)
  await client.sadd('planted:set', text)
  await client.zadd('planted:zset', 1, text)
  await client.xadd('planted:stream', '*', 'field', text)
  await client.set('planted:hex', text.toString('hex'))
  await client.set('planted:base64', text.toString('base64url'))
  await client.set('planted:pixels', Buffer.concat([Buffer.alloc(1000, 0x20), pixels, Buffer.alloc(1000, 0x20)]))
  await client.set(text, 'a name')
  mkdirSync(join(place, 'planted'))
  writeFileSync(join(place, 'planted', 'upload.tmp'), text)
}

/** In both byte orders: as written, and as in memory. */
export function formsOfHash(hex: string): Needle[] {
  const written = Buffer.from(hex, 'hex')
  return [written, Buffer.from(written).reverse()].flatMap((bytes) => [
    { form: 'bytes', bytes },
    { form: 'as MONITOR writes bytes', bytes: Buffer.from(escaped(bytes.subarray(0, 16))) },
    ...writtenForms(bytes).map(({ form, text }) => ({ form, bytes: Buffer.from(text) })),
  ])
}

export function escaped(bytes: Buffer): string {
  return Array.from(bytes, (byte) =>
    byte > 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('')
}

export function pick(pictures: readonly Picture[]): Picture {
  const [first] = pictures
  if (first === undefined) throw new Error('there is no picture')
  return first
}

export function fresh(picture: Picture): Picture {
  return { ...picture, bytes: Buffer.from(picture.bytes) }
}

/** The name without the text, because test output must not contain it either. */
export function contentOf({ name }: Picture): string {
  return name.slice(name.indexOf('-') + 1)
}

export function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('the process runs')
  return pid
}
