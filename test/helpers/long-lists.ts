// Lists with 2,500 entries of equal score or time, read completely.

import type { Test } from 'tap'
import { z } from 'zod'
import { createImageStore } from '../../src/store/images/images.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { storeAt } from './redis.js'
import { keyFor, startService, type TestService } from './service.js'
import { ask } from './trust.js'

export const MANY = 2500
export const PAGE = 100
type Headers = Readonly<Record<string, string>>
export type Row = Readonly<Record<string, unknown>>

export async function world(t: Test) {
  const nowMs = Date.UTC(2026, 5, 1)
  const service = await startService(t, { now: () => nowMs })
  const store = await openStore(storeAt(service.redis.socket))
  t.teardown(() => store.close())
  return { service, store, nowMs, images: createImageStore(store, makeKeyring([Buffer.alloc(32, 7)])) }
}

export const numbered = <T>(make: (i: number) => T) => Array.from({ length: MANY }, (_, i) => make(i))

/** Reads a list to its end by the `next` of each page. */
export async function readAll(
  t: Test,
  service: TestService,
  headers: Headers,
  {
    url,
    name,
    between,
  }: { readonly url: string; readonly name: string; readonly between?: (last: Row) => Promise<unknown> },
): Promise<Row[]> {
  const all: Row[] = []
  for (let after = ''; ; ) {
    const mark = url.includes('?') ? '&' : '?'
    const answer = await ask(service, 'GET', `${url}${mark}limit=${PAGE}${after}`, headers)
    if (answer.statusCode !== 200) throw new Error(answer.body)
    const page = z.record(z.string(), z.unknown()).parse(answer.json())
    const rows = z.array(z.record(z.string(), z.unknown())).parse(page[name])
    if (rows.length > PAGE) t.fail('a page without a bound')
    all.push(...rows)
    const last = rows.at(-1)
    if (typeof page['next'] !== 'string') return all
    after = `&after=${page['next']}`
    if (last !== undefined) await between?.(last)
  }
}

export function onceEach(t: Test, rows: readonly Row[], field: string, expected: readonly unknown[]) {
  const found = new Set(rows.map((row) => row[field]))
  t.equal(rows.length, found.size, 'no entry twice')
  t.equal(rows.length, expected.length, 'none too many')
  t.equal(expected.filter((one) => !found.has(one)).length, 0, 'each entry')
}

export async function keyOfOrg(...args: Parameters<typeof keyFor>) {
  const made = await keyFor(...args)
  return { ...made, orgId: args[0].services.identify(made.key, '127.0.0.1')?.orgId ?? '' }
}

/** Few enough at once for a busy machine to answer in time. */
export async function inSome<T>(all: readonly T[], work: (one: T) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < all.length; at += 200) await Promise.all(all.slice(at, at + 200).map(work))
}
