// What does the time of an answer reveal that the answer does not? One connection over loopback, the best that a caller can have, queries hashes of
// several kinds in random order. All kinds but the first two are answered as if nothing were near.
//
//   npm run bench timing [-- --rows N] [--queries N] [--hashes N] [--json] [--record]
//
// Every answer is checked. For each kind: how its times differ from those of hashes without a near row, and how often a caller who queries one hash
// 1, 10, 100 … times guesses its kind, at the best threshold (timing/statistics.mjs).

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { formatUuid } from '../dist/packages/core/src/ids.js'
import { formatHash, hashFromBytes } from '../dist/packages/hash/src/hash256.js'
import { createApiKey } from '../dist/src/services/keys/access.js'
import { createImageStore } from '../dist/src/store/images/images.js'
import { createApiKeyStore } from '../dist/src/store/organisations/api-keys.js'
import { createBankStore } from '../dist/src/store/organisations/banks.js'
import { openConnection } from './http/connection.mjs'
import { publish } from './http/record.mjs'
import { progress } from './report.mjs'
import { BANK, fill, openService, run, startApi, wholeNumber } from './service.mjs'
import { accuracyAfter, kolmogorovSmirnov, median, minimum, welch } from './timing/statistics.mjs'

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '200000' },
    queries: { type: 'string', default: '100000' },
    hashes: { type: 'string', default: '50' },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
})
const ROWS = wholeNumber(args, 'rows')
const QUERIES = wholeNumber(args, 'queries')
const HASHES = wholeNumber(args, 'hashes')
/** The most frozen hashes of an organisation before it is suspended altogether. */
const FROZEN = 8
/** More than replace the radius, and fewer than those after which only exact matches are answered. */
const FREEZING_QUERIES = 19
const HIDDEN_BANK = 'bench-hidden'
const NOTHING = 'nothing near'
const ANSWERED = [NOTHING, 'match']
const REPETITIONS = [1, 3, 10, 30, 100, 300, 1000, 3000]
const SURE = 0.95
const WARM_UP_ROUNDS = 5

await run(async (defer) => {
  const service = await openService(defer)
  await fill(service, ROWS)
  const kinds = await prepare(service)
  const api = await startApi(defer, service, { settings: { TABIR_PROBING: 'limit' } })
  const connection = await openConnection(api.port)
  defer(() => connection.close())
  await settle(connection, kinds)
  const times = await measure(connection, kinds)
  report(times, kinds.wrong)
})

async function keyFor({ store }, org, kind, ...scopes) {
  const made = await createApiKey(createApiKeyStore(store), {
    org,
    kind,
    scopes: new Set(scopes),
    env: 'bench',
    nowMs: Date.now(),
  })
  const { orgId } = await createApiKeyStore(store).get(made.keyId)
  return { ...made, orgId }
}

/** Stores hashes of each kind. @returns the query hashes of each kind, and what the api has left to do. */
async function prepare(service) {
  const { store, keyring } = service
  const asking = await keyFor(service, 'asking', 'platform', 'match')
  const other = await keyFor(service, 'other', 'ngo', 'match', 'signals:write')
  const operator = await keyFor(service, 'operator', 'operator', 'admin')
  const nowMs = Date.now()
  await createBankStore(store).add(
    { name: HIDDEN_BANK, orgId: other.orgId, thresholdBits: {}, readers: {}, createdAtMs: nowMs },
    'operator',
  )
  const images = createImageStore(store, keyring)
  const put = async (bank, hashes) => {
    const made = hashes.map((hash) => {
      const signals = [{ type: 'pdq', view: 'whole', quality: 100, hash: hashFromBytes(hash) }]
      return {
        id: idOf(),
        image: { bank, tier: 'ngo-attested', category: undefined, ref: undefined, createdAtMs: nowMs, signals },
      }
    })
    await images.put(made)
    return made.map(({ id }) => id)
  }
  const some = (count = HASHES) => Array.from({ length: count }, () => randomBytes(32))
  const hashes = new Map([[NOTHING, some()]])
  for (const name of ['match', 'hidden bank', 'harmless', 'vetoed', 'held', 'withdrawn', 'watched']) hashes.set(name, some())
  const ids = new Map()
  for (const name of ['match', 'vetoed', 'held', 'withdrawn']) ids.set(name, await put(BANK, hashes.get(name)))
  await put(HIDDEN_BANK, hashes.get('hidden bank'))
  hashes.set(
    'hidden, 27 bits away',
    hashes.get('hidden bank').map((hash) => away(hash, 27)),
  )
  for (const name of ['harmless', 'vetoed']) await put('harmless', hashes.get(name))
  const frozen = some(FROZEN)
  await put(BANK, frozen)
  return { asking, other, operator, owner: service.key, hashes, ids, frozen, wrong: 0 }
}

function idOf() {
  const id = randomBytes(16)
  id[6] = 0x80 | (id[6] & 0x0f)
  id[8] = 0x80 | (id[8] & 0x3f)
  return formatUuid(id)
}

/** Brings the hashes of each kind into the state that the kind needs. */
async function settle(connection, { asking, other, operator, owner, hashes, ids, frozen }) {
  const send = (method, path, key, body) => connection.request(requestOf(method, path, key, body))
  const ask = async (hash) => isMatch((await timed(connection, queryOf(asking.key, hash))).answer)
  while (!(await ask(hashes.get('match').at(-1))) || !(await ask(frozen.at(-1)))) await sleep(50)
  for (const id of ids.get('held')) await must(send('POST', `/v1/signals/${id}/quarantine`, operator.key, {}))
  for (const id of ids.get('withdrawn')) await must(send('DELETE', `/v1/banks/${BANK}/signals/${id}`, owner))
  const watches = hashes.get('watched').map((hash) => ({ signals: [{ type: 'pdq', hash: textOf(hash) }] }))
  await must(send('POST', '/v1/watch', other.key, { watches }))
  // Queries each hash at its edge until its radius changes. Later queries are farther away than any new radius.
  for (const hash of frozen) for (let i = 0; i < FREEZING_QUERIES; i++) await ask(away(hash, 31))
  hashes.set(
    'frozen',
    frozen.map((hash) => away(hash, 27)),
  )
  for (const [name, all] of hashes) while ((await ask(all[0])) !== (name === 'match')) await sleep(50)
}

async function must(answer) {
  const { status, body } = await answer
  if (status >= 300) throw new Error(`${status} ${body}`)
}

function requestOf(method, path, key, body) {
  const text = body === undefined ? '' : JSON.stringify(body)
  const type = body === undefined ? '' : 'content-type: application/json\r\n'
  return Buffer.from(
    `${method} ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n${type}content-length: ${text.length}\r\n\r\n${text}`,
  )
}

function queryOf(key, hash) {
  return requestOf('POST', '/v1/match', key, { queries: [{ signals: [{ type: 'pdq', hash: textOf(hash) }] }] })
}

function textOf(hash) {
  return formatHash(hashFromBytes(hash))
}

function isMatch({ status, body }) {
  if (status !== 200) throw new Error(`${status} ${body}`)
  return !body.includes('"matches":[]')
}

/** The hash with this many random bits flipped. */
function away(hash, bits) {
  const flipped = Buffer.from(hash)
  const places = new Set()
  while (places.size < bits) places.add(randomBytes(1)[0])
  for (const place of places) flipped[place >> 3] ^= 1 << (place & 7)
  return flipped
}

/** @returns for each kind and each of its hashes the times in µs. */
async function measure(connection, kinds) {
  const all = [...kinds.hashes].flatMap(([name, hashes]) =>
    hashes.map((hash) => ({ name, bytes: queryOf(kinds.asking.key, hash), times: [] })),
  )
  const rounds = Math.max(10, Math.ceil(QUERIES / all.length))
  const draw = progress('asking', rounds)
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const one of shuffled(all)) {
      const { answer, us } = await timed(connection, one.bytes)
      if (isMatch(answer) !== (one.name === 'match')) kinds.wrong++
      if (round >= 0) one.times.push(us)
    }
    draw(round)
  }
  draw(rounds)
  const times = new Map()
  for (const { name, times: own } of all) times.set(name, [...(times.get(name) ?? []), own])
  return times
}

/** Retries when the answer asks for it. */
async function timed(connection, bytes) {
  for (;;) {
    const begun = process.hrtime.bigint()
    const answer = await connection.request(bytes)
    const us = Number(process.hrtime.bigint() - begun) / 1000
    if (answer.status !== 503) return { answer, us }
    await sleep(100)
  }
}

function shuffled(list) {
  const order = [...list]
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    ;[order[last], order[other]] = [order[other], order[last]]
  }
  return order
}

function report(times, wrong) {
  const base = times.get(NOTHING)
  const flat = base.flat()
  const longest = base[0].length
  const kinds = [...times].map(([name, own]) => {
    const all = own.flat()
    const repetitions = REPETITIONS.filter((count) => count <= longest)
    const accuracy = Object.fromEntries(
      repetitions.map((count) => [
        count,
        Math.max(accuracyAfter(count, base, own, median), accuracyAfter(count, base, own, minimum)),
      ]),
    )
    return {
      kind: name,
      isTold: !ANSWERED.includes(name),
      medianUs: median(all),
      differenceUs: median(all) - median(flat),
      minDifferenceUs: median(own.map(minimum)) - median(base.map(minimum)),
      welchP: welch(all, flat),
      ksP: kolmogorovSmirnov(all, flat),
      accuracy,
      sureAfter: repetitions.find((count) => accuracy[count] >= SURE),
    }
  })
  const lines = kinds.map((one) => ({
    kind: one.kind,
    'median µs': one.medianUs.toFixed(1),
    'difference of medians µs': one.differenceUs.toFixed(2),
    'difference of least times µs': one.minDifferenceUs.toFixed(2),
    'Welch p': one.welchP.toExponential(1),
    'KS p': one.ksP.toExponential(1),
    'right after 1, 10, 100 queries': [1, 10, 100].map((count) => share(one.accuracy[count])).join(', '),
    'queries for 95 %': one.sureAfter ?? `more than ${longest}`,
  }))
  const asked = [...times.values()].flat(2).length
  publish('timing', { rows: ROWS, queries: asked, wrong, kinds }, [{ title: `${asked} queries over loopback`, lines }], args)
}

function share(value) {
  return value === undefined ? '–' : `${Math.round(100 * value)} %`
}
