// Attacks on stored details: an attacker who has a part of a picture queries with forged details to learn the rest.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import type { AskedView, Feature } from '../../packages/hash/src/details/features.js'
import { writeAsked, writeRegistered } from '../../packages/hash/src/details/written.js'
import { type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { post } from '../helpers/requests.js'
import { codeOf, keyFor, openCase, randomHashText, startService } from '../helpers/service.js'

const service = await startService(t, { probing: 'limit', extendedProtection: true })
const BITS = Array.from({ length: 256 }, (_, bit) => bit)
const SIDE_PX = 480
const CELL_PX = SIDE_PX / 32
/** Two details that differ in more bits than this do not match. */
const MATCH_BITS = 64

/** Twenty details spread over the picture, in cells of a grid of 32 × 32. */
const PLACES = Array.from({ length: 20 }, (_, i) => ({ column: 4 + 6 * (i % 5), row: 3 + 8 * Math.floor(i / 5) }))

function flipped(hash: Hash256, bits: readonly number[]): Hash256 {
  const bytes = Uint8Array.from(hash)
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return hashFromBytes(bytes)
}

/** A picture in a case with random details. */
async function registered() {
  const her = await openCase(service.app, { extendedProtection: true })
  const hashes = PLACES.map(() => hashFromBytes(randomBytes(32)))
  const hashAt = (i: number) => hashes[i] ?? hashFromBytes(randomBytes(32))
  const rows = PLACES.slice(0, 16).map(({ column, row }, i) => ({
    place: 16 * (row >> 1) + (column >> 1),
    pose: 0,
    hash: hashAt(i),
  }))
  const points = PLACES.map((place, i) => ({ ...place, hash: hashAt(i) }))
  const size = { width: SIDE_PX, height: SIDE_PX }
  const details = writeRegistered({ ranked: { ...size, rows }, points: { ...size, points } })
  const image = { signals: [{ type: 'pdq', hash: randomHashText(), quality: 100 }], details: base64(details) }
  const answer = await post(service.app, `${her.url}/hashes`, { images: [image] }, her.headers)
  if (answer.statusCode !== 201) throw new Error(answer.body)
  return (i: number): Feature => {
    const { column = 0, row = 0 } = PLACES[i] ?? {}
    const place = { x: (column + 0.5) * CELL_PX, y: (row + 0.5) * CELL_PX, angle: 0, level: 0 }
    return { ...place, hash: hashAt(i), mirrored: undefined }
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

async function answerTo(headers: Record<string, string>, features: readonly Feature[]): Promise<string> {
  const part = { left: 0, top: 0, right: 1, bottom: 1 }
  const view: AskedView = { width: SIDE_PX, height: SIDE_PX, features, part }
  const query = { signals: [{ type: 'pdq', hash: randomHashText() }], details: base64(writeAsked([view])) }
  const answer = await post(service.app, '/v1/match', { queries: [query], transforms: false }, headers)
  if (answer.statusCode !== 200) throw new Error(codeOf(answer))
  const { results } = answer.json<{ results: { matches: { matchId?: string }[] }[] }>()
  return JSON.stringify(results[0]?.matches)
}

/**
 * Queries with a detail at the edge of a match and flips each of its bits in turn.
 * @returns how many of the differing bits the answers revealed.
 */
async function recovered(asking: (bit: number) => Promise<string>, differing: readonly number[]): Promise<number> {
  const told: string[] = []
  for (const bit of BITS) told.push(await asking(bit))
  const usual = told.at(-1)
  const tells = told.flatMap((answer, bit) => (answer === usual ? [] : [bit]))
  return tells.filter((bit) => differing.includes(bit)).length - tells.filter((bit) => !differing.includes(bit)).length
}

/** Differs in one bit too many to match: in every third bit, up to that number. */
const DIFFERING = BITS.filter((bit) => bit % 3 === 0).slice(0, MATCH_BITS + 1)
const numbers = (from: number, to: number) => BITS.slice(from, to)

t.test('changing a forged detail bit by bit does not reveal a stored one, by match or by region', async (t) => {
  const ways = {
    'one more would be a match': { sure: [0, 2, 4, 10, 12, 14, 9], tested: 7 },
    'one more would widen the region': { sure: [...numbers(0, 4), ...numbers(5, 9), ...numbers(10, 14)], tested: 19 },
  }
  let orgs = 0
  for (const [name, { sure, tested }] of Object.entries(ways)) {
    const stored = await registered()
    const { headers } = await keyFor(service, `platform ${orgs++}`, ['match'])
    const known = sure.map(stored)
    t.not(await answerTo(headers, [...known, stored(tested)]), '[]', name)
    const at = stored(tested)
    const bits = await recovered(
      (bit) => answerTo(headers, [...known, { ...at, hash: flipped(flipped(at.hash, DIFFERING), [bit]) }]),
      DIFFERING,
    )
    t.ok(bits < 16, `${name}: ${bits} bits of ${DIFFERING.length}`)
  }
})

t.test('copies in which many details agree are found in any number of queries', async (t) => {
  const stored = await registered()
  const { headers } = await keyFor(service, 'another', ['match'])
  // Each query has another whole hash. FLOOD_RULES narrow an image that is found in many unlike uploads, so this stays below their number.
  for (let nth = 0; nth < 45; nth++) {
    const left = numbers(0, 20).filter((i) => i !== nth % 20 && i !== (7 * nth) % 20)
    const features = left.map((i) => ({ ...stored(i), hash: flipped(stored(i).hash, [nth]) }))
    t.not(await answerTo(headers, features), '[]')
  }
})
