// A service that gets many hashes in every possible way, and everything that it and its Redis wrote afterwards.

import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { z } from 'zod'
import { type OrgKind, SCOPES } from '../../src/domain/organisations/access.js'
import { createApiKey } from '../../src/services/keys/access.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeAllKinds } from './all-kinds.js'
import { type Api, contentsOf, filesIn, nameOf, startApi, stopApi } from './canary-world.js'
import { OVERLAP_BYTES } from './hash-search.js'
import { startRedis, storeAt } from './redis.js'
import { until } from './service.js'

export interface WrittenStore {
  /** All hashes that were sent, 32 bytes each, most significant first. */
  readonly hashes: Uint8Array
  readonly client: Redis
  /** Case numbers, tokens of cases, and the API key. */
  readonly secrets: readonly string[]
  /** PINs of cases. They are short, so only the places where they could be are searched for them. */
  readonly pins: readonly string[]
  /** The number of registered hashes, as answered. */
  readonly stored: number
  /** Everything written, in parts, by the name of the place. */
  written(): AsyncGenerator<readonly [place: string, bytes: Buffer]>
}

export interface WholeStoreOptions {
  readonly signals: number
  /** A folder for this run alone. */
  readonly place: string
  readonly onProgress: (sent: number) => void
}

const Opened = z.object({ caseNumber: z.string(), pin: z.string(), recoveryCode: z.string(), token: z.string() })
const LINES_AT_ONCE = 20_000
const PART_BYTES = 64 * 1024 * 1024
const CASES = 8

/** Submits hashes, withdraws some, queries, sends refused requests, and stops the api, so that it writes its snapshot. */
export async function writtenStore(t: Pick<Test, 'teardown'>, options: WholeStoreOptions): Promise<WrittenStore> {
  const redis = await startRedis(t)
  const client = new Redis(redis.socket)
  t.teardown(() => client.disconnect())
  const api = await startApi(t, { redis, place: options.place })
  const key = await keyFor(redis.socket, 'one', 'operator')
  const platform = await keyFor(redis.socket, 'two', 'platform')
  const ngo = await keyFor(redis.socket, 'three', 'ngo')
  const headers = { authorization: `Bearer ${key}` }
  const secrets: string[] = [key, platform, ngo]
  const pins: string[] = []
  const hashes: Buffer[] = []
  const make = (count: number) => {
    const bytes = randomBytes(32 * count)
    hashes.push(bytes)
    return Array.from({ length: count }, (_, i) => bytes.toString('hex', 32 * i, 32 * i + 32))
  }
  const json = (method: string, path: string, body: unknown, more: Readonly<Record<string, string>> = headers) =>
    ask(api, method, path, body === undefined ? undefined : JSON.stringify(body), {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...more,
    })

  // An api learns of a new key a moment later.
  await until(async () => (await json('POST', '/v1/banks', { name: 'mine' })).status === 201)
  for (let sent = 0; sent < options.signals; sent += LINES_AT_ONCE) {
    const lines = make(Math.min(LINES_AT_ONCE, options.signals - sent)).map((hash) =>
      JSON.stringify({ type: 'pdq', hash, quality: 90, ref: `r${sent}` }),
    )
    const type = { 'content-type': 'application/x-ndjson' }
    const answer = await ask(api, 'POST', '/v1/banks/mine/signals', lines.join('\n'), { ...headers, ...type })
    if (answer.status !== 201) throw new Error(`an import was answered with ${answer.status}`)
    const [id] = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(answer.body) ?? []
    await ask(api, 'DELETE', `/v1/banks/mine/signals/${id}`, undefined, headers)
    options.onProgress(sent + lines.length)
  }
  for (let i = 0; i < CASES; i++) {
    const her = Opened.parse(JSON.parse((await json('POST', '/v1/cases', { adult: true }, {})).body))
    secrets.push(her.caseNumber, her.caseNumber.replaceAll('-', ''), her.recoveryCode, her.token)
    pins.push(her.pin)
    const path = `/v1/cases/${her.caseNumber}`
    const hers = { authorization: `Bearer ${her.token}` }
    await json('POST', `${path}/tokens`, { pin: her.pin }, {})
    const images = make(5).map((hash) => ({ signals: [{ type: 'pdq', hash, quality: 90 }] }))
    await json('POST', `${path}/hashes`, { images }, hers)
    if (i % 2 === 0) await ask(api, 'DELETE', path, undefined, hers)
  }
  const all = await makeAllKinds(json, { platform, ngo })
  hashes.push(all.hash)
  secrets.push(...all.secrets)
  pins.push(all.pin)
  const known = hashes[0]?.toString('hex', 0, 32) ?? ''
  const queries = [known, ...make(50)].map((hash) => ({
    signals: [{ type: 'pdq', hash }],
    context: 'a-group-of-24-characters',
  }))
  await json('POST', '/v1/match', { queries })
  // Hashes in wrong fields: they are refused, and must not be written either.
  for (const hash of make(5)) {
    await ask(api, 'GET', `/v1/signals/${hash}?hash=${hash}`, undefined, headers)
    await json('POST', '/v1/match', { queries: [{ signals: [{ type: hash, hash: `${hash}0` }] }], banks: [hash] })
    await json('POST', '/v1/banks', { name: hash })
    await json('POST', '/v1/cases', { adult: true, category: hash })
    await ask(api, 'POST', '/v1/banks/mine/signals', `{"hash":"${hash}"`, {
      ...headers,
      'content-type': 'application/x-ndjson',
    })
    await ask(api, 'GET', '/v1/banks', undefined, {
      authorization: `Bearer ${hash}`,
      'user-agent': hash,
      'idempotency-key': hash,
    })
  }
  await stopApi(api)

  return {
    hashes: Buffer.concat(hashes),
    client,
    secrets,
    pins,
    stored: await countStored(client),
    async *written() {
      for (const key of await client.keysBuffer('*'))
        yield [`key ${key.toString('latin1')}`, Buffer.concat([key, await contentsOf(client, key)])]
      await client.save()
      for (const folder of [redis.dataDir, options.place]) {
        for (const path of filesIn(folder)) for (const part of partsOf(path)) yield [nameOf(path, 'data'), part]
      }
      yield ['the log of the api', Buffer.from(api.output.join(''))]
    },
  }
}

async function ask(
  { url }: Api,
  method: string,
  path: string,
  body: string | undefined,
  headers: Readonly<Record<string, string>>,
) {
  const response = await fetch(url + path, { method, headers, ...(body !== undefined && { body }) })
  return { status: response.status, body: await response.text() }
}

async function keyFor(socket: string, name: string, kind: OrgKind): Promise<string> {
  const store = await openStore(storeAt(socket))
  const org = { org: name, kind, scopes: new Set(SCOPES), env: 'test', nowMs: Date.now() } as const
  const { key } = await createApiKey(createApiKeyStore(store), org)
  await store.close()
  return key
}

async function countStored(client: Redis): Promise<number> {
  let stored = 0
  for (const key of await client.keys('{tabir}:images:*')) stored += await client.hlen(key)
  return stored
}

function* partsOf(path: string): Generator<Buffer> {
  const file = openSync(path, 'r')
  try {
    for (let from = 0; ; from += PART_BYTES - OVERLAP_BYTES) {
      const part = Buffer.allocUnsafe(PART_BYTES)
      const read = readSync(file, part, 0, PART_BYTES, from)
      if (read > 0) yield part.subarray(0, read)
      if (read < PART_BYTES) return
    }
  } finally {
    closeSync(file)
  }
}
