// Files and feed pages with flaws: unreadable records are rejected, and all others are read.

import { gzipSync } from 'node:zlib'
import { formatHash } from '../../packages/hash/src/hash256.js'
import type { ReadRecord } from '../../src/domain/organisations/bank-import.js'
import type { EXCHANGE_APIS, FeedPosition } from '../../src/domain/organisations/exchange.js'
import { Problem } from '../../src/domain/problem.js'
import { exchangesIn } from '../../src/exchange/exchange-config.js'
import { type Feed, FeedError, type FeedRecord } from '../../src/exchange/feeds/feed-page.js'
import type { LinedRecord } from '../../src/exchange/record-reader.js'
import { readerFor } from '../../src/exchange/signal-lines.js'
import { readLines } from '../../src/exchange/text-lines.js'
import { unpacked } from '../../src/exchange/unpack.js'
import { type Chance, hashText, mutatedBytes, mutatedJson, oddText } from './chance.js'

const BASE = 'https://feed.example/base'
const SETTINGS: Readonly<Record<(typeof EXCHANGE_APIS)[number], object>> = {
  stopncii: { functionKey: 'k', subscriptionKey: 'k' },
  threatexchange: { privacyGroup: '7', accessToken: 'secret' },
  tat: { username: 'u', password: 'p' },
  ncmec: { username: 'u', password: 'p', adultClassifications: ['NCII'] },
}
const FEEDS: readonly Feed[] = exchangesIn(
  JSON.stringify({
    exchanges: Object.entries(SETTINGS).map(([api, own]) => ({ api, ...own, baseUrl: BASE, name: api, bank: 'b' })),
  }),
).map(({ feed }) => feed)
const [stopNcii, threatExchange, tat, ncmec] = FEEDS

/** Tried even if the time was spent on waiting. */
const MIN_TRIED = 6

/** @returns how many were tried, and the findings; a seed repeats it. */
export async function fuzzReaders(chance: Chance, untilMs: number): Promise<{ tried: number; finds: string[] }> {
  const finds: string[] = []
  let tried = 0
  while ((performance.now() < untilMs || tried < MIN_TRIED) && finds.length < 5) {
    const find = await chance.oneOf([pageWithOneBadRecord, brokenPage, fileWithBadLines, brokenFile])(chance)
    if (find !== undefined) finds.push(find)
    tried++
  }
  return { tried, finds }
}

/** One record is anything at all; the others are valid. */
async function pageWithOneBadRecord(chance: Chance): Promise<string | undefined> {
  const hashes = Array.from({ length: 6 }, () => chance.bytes(32).toString('hex'))
  const bad = chance.below(hashes.length)
  for (const { feed, recordFor, pageOf } of JSON_FEEDS) {
    const records: unknown[] = hashes.map(recordFor)
    records[bad] = mutatedJson(chance, records[bad])
    const read = pageIn(feed, Buffer.from(JSON.stringify(pageOf(records))))
    if (typeof read === 'string') return `${read}: ${JSON.stringify(records[bad])?.slice(0, 300)}`
    if (read === undefined) return `one bad record took a page with it: ${JSON.stringify(records[bad])?.slice(0, 300)}`
    const there = new Set(read.flatMap((record) => hashOf(record) ?? []))
    const lost = hashes.filter((hash, i) => i !== bad && !there.has(hash))
    if (lost.length > 0) return `a whole record was lost beside ${JSON.stringify(records[bad])?.slice(0, 300)}`
  }
  return undefined
}

async function brokenPage(chance: Chance): Promise<string | undefined> {
  const hashes = Array.from({ length: 3 }, () => hashText(chance))
  for (const { feed, recordFor, pageOf } of JSON_FEEDS) {
    const page = pageOf(hashes.map(recordFor))
    const body = chance.happens(0.5)
      ? mutatedBytes(chance, Buffer.from(JSON.stringify(page)))
      : Buffer.from(JSON.stringify(mutatedJson(chance, page)) ?? '')
    const read = pageIn(feed, body)
    if (typeof read === 'string') return `${read}: ${body.toString('latin1').slice(0, 500)}`
  }
  if (ncmec === undefined) return 'no feed'
  const entries = hashes.map(
    (hash, i) =>
      `<image><member id="1">A</member><id>i${i}</id><classification>${
        chance.happens(0.8) ? 'NCII' : xmlText(oddText(chance))
      }</classification><fingerprints><pdq>${hash}</pdq></fingerprints></image>`,
  )
  const xml = `<?xml version="1.0"?>${chance.happens(0.2) ? '<!DOCTYPE x [<!ENTITY a "b">]>' : ''}<queryResult><images maxTimestamp="2024-02-01T10:00:00Z">${entries.join('')}</images></queryResult>`
  const body = mutatedBytes(chance, Buffer.from(xml))
  const read = pageIn(ncmec, body)
  return typeof read === 'string' ? `${read}: ${body.toString('latin1').slice(0, 500)}` : undefined
}

/** Lines of all kinds with bad ones between them: the valid lines of a file are read once each, in order. */
async function fileWithBadLines(chance: Chance): Promise<string | undefined> {
  const kind = chance.oneOf(['plain', 'json', 'csv'] as const)
  const good: string[] = []
  const lines = Array.from({ length: 30 }, (_, i) => {
    const hash = chance.bytes(32).toString('hex')
    if (i === 0 || chance.happens(0.5)) {
      good.push(hash)
      return lineOf(kind, hash)
    }
    const bad = chance.happens(0.5) ? oddText(chance) : lineOf(kind, hashText(chance))
    return mutatedBytes(chance, Buffer.from(bad))
      .toString('latin1')
      .replaceAll(/[\n\r]/g, ' ')
  })
  const head = kind === 'csv' ? ['signal_type,signal_str,collab,category,tags'] : []
  const plain = Buffer.from([...head, ...lines].join(chance.oneOf(['\n', '\r\n'])), 'latin1')
  const { read, problem } = await readFile(chance.happens(0.5) ? gzipSync(plain) : plain, chance)
  if (problem !== undefined) return `a file with bad lines was stopped by ${problem}`
  const there = read.flatMap((record) => (record.kind === 'put' ? formatHash(record.signal.signal.hash) : []))
  let at = 0
  for (const hash of there) if (hash === good[at]) at++
  return at === good.length ? undefined : `a whole line of ${kind} was lost: ${JSON.stringify(lines).slice(0, 500)}`
}

async function brokenFile(chance: Chance): Promise<string | undefined> {
  const kind = chance.oneOf(['plain', 'json', 'csv'] as const)
  const lines = Array.from({ length: 20 }, () => lineOf(kind, hashText(chance))).join('\n')
  const bytes = chance.happens(0.6) ? gzipSync(lines) : Buffer.from(lines)
  const { problem } = await readFile(mutatedBytes(chance, bytes), chance)
  return problem === undefined || STOPS.includes(problem) ? undefined : `${problem} for ${bytes.toString('base64')}`
}

/** `request-invalid`: the file begins like a list in JSON. */
const STOPS: readonly string[] = ['body-too-large', 'body-unreadable', 'upload-incomplete', 'request-invalid']

async function readFile(bytes: Buffer, chance: Chance): Promise<{ read: ReadRecord[]; problem: string | undefined }> {
  const read: ReadRecord[] = []
  let reader: ReturnType<typeof readerFor>['reader'] | undefined
  const take = (records: readonly LinedRecord[]) => {
    for (const { record } of records) read.push(record)
  }
  try {
    for await (const some of readLines(unpacked(pieces(bytes, 1 + chance.below(200))))) {
      for (const { text, line } of some) {
        if (reader === undefined && text !== undefined && text !== '') {
          const found = readerFor(text)
          reader = found.reader
          if (found.isHeader) continue
        }
        take(reader?.read(text, line) ?? [])
      }
    }
    take(reader?.end(0) ?? [])
  } catch (error) {
    return { read, problem: error instanceof Problem ? error.code : `a fault: ${String(error)}` }
  }
  return { read, problem: undefined }
}

/** @returns its records; `undefined` when it was refused; a text describing a failure. */
function pageIn(feed: Feed, body: Buffer): readonly FeedRecord[] | undefined | string {
  try {
    const { records, next } = feed.read(body, feed.start)
    const wrong = wrongPlace(feed, next)
    return wrong ?? records
  } catch (error) {
    return error instanceof FeedError ? undefined : `a fault: ${String(error)}`
  }
}

/** A page may lead only to the feed's own address, and never back in time. */
function wrongPlace(feed: Feed, next: FeedPosition): string | undefined {
  const { url } = feed.request(next, 'token')
  if (!URL.canParse(url) || !new URL(url).href.startsWith(BASE)) return `leads to ${url.slice(0, 200)}`
  if (feed === stopNcii && Number(next.highest) < Number(feed.start.highest)) return 'goes back in time'
  return undefined
}

function hashOf(record: FeedRecord): string | undefined {
  return record.kind === 'put' ? formatHash(record.signal.signal.hash) : undefined
}

function lineOf(kind: 'plain' | 'json' | 'csv', hash: string): string {
  if (kind === 'plain') return `pdq ${hash}`
  return kind === 'json' ? JSON.stringify({ type: 'pdq', hash }) : `pdq,${hash},list,POSITIVE_CLASS,`
}

function xmlText(text: string): string {
  return text.replaceAll(/[<&\ufffe\uffff]|\p{Cc}|\p{Surrogate}/gu, ' ').slice(0, 500)
}

async function* pieces(bytes: Buffer, sizeBytes: number) {
  for (let at = 0; at < bytes.length; at += sizeBytes) yield bytes.subarray(at, at + sizeBytes)
}

const JSON_FEEDS: readonly {
  readonly feed: Feed
  readonly recordFor: (hash: string, i: number) => object
  readonly pageOf: (records: readonly unknown[]) => object
}[] = [
  {
    feed: known(stopNcii),
    recordFor: (hashValue) => ({
      lastModtimestamp: 1,
      signalType: 'ImagePDQ',
      hashValue,
      hashStatus: 'Active',
      caseNumbers: {},
      CSPFeedbacks: [{ source: 'x', feedbackValue: 'Blocked', tags: ['a'] }],
    }),
    pageOf: (hashRecords) => ({ count: 1, nextSetTimestamp: 100, nextPageToken: 'n', hasMoreRecords: true, hashRecords }),
  },
  {
    feed: known(threatExchange),
    recordFor: (indicator, i) => ({
      id: String(i),
      indicator,
      type: 'HASH_PDQ',
      last_updated: 5,
      descriptors: { data: [{ status: 'MALICIOUS', tags: ['x'] }] },
    }),
    pageOf: (data) => ({ data, paging: { next: `${BASE}/7/threat_updates/?access_token=secret&after=x` } }),
  },
  {
    feed: known(tat),
    recordFor: (hash_digest, id) => ({ id, hash_digest, algorithm: 'PDQ', deleted: false }),
    pageOf: (results) => ({ count: 1, next: 'x', previous: null, checkpoint: '9,9', results }),
  },
]

function known(feed: Feed | undefined): Feed {
  if (feed === undefined) throw new Error('a feed for each kind')
  return feed
}
