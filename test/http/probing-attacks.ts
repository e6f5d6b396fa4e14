// Queries of an attacker who recovers a stored hash bit by bit.

import { randomBytes } from 'node:crypto'
import { distance, formatHash, type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { post } from '../helpers/requests.js'
import { codeOf, type TestService } from '../helpers/service.js'
import { operator } from '../helpers/trust.js'

export const BITS = Array.from({ length: 256 }, (_, bit) => bit)

export type Headers = Record<string, string>
export type Ask = (hash: Hash256, nth: number) => Promise<string>

export function flipped(hash: Hash256, bits: readonly number[]): Hash256 {
  const bytes = Uint8Array.from(hash)
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return hashFromBytes(bytes)
}

/** The hash with this many bits flipped, spread over all of it. */
export function away(hash: Hash256, count: number): Hash256 {
  return flipped(
    hash,
    BITS.slice(0, count).map((i) => (i * 37) % 256),
  )
}

export function signal(hash: Hash256, type = 'pdq') {
  return { type, hash: formatHash(hash) }
}

export async function matches(
  { app }: TestService,
  headers: Headers,
  queries: readonly (readonly object[])[],
  more: object = {},
) {
  const payload = { transforms: false, queries: queries.map((signals) => ({ signals })), ...more }
  const answer = await post(app, '/v1/match', payload, headers)
  if (answer.statusCode !== 200) throw new Error(codeOf(answer))
  return answer
    .json<{ results: { matches: Record<string, unknown>[] }[] }>()
    .results.map(({ matches: all }) => all.map(({ matchId: _, ...told }) => JSON.stringify(told)).sort())
}

/** The answer to one query, about all images. */
export async function answerTo(
  service: TestService,
  headers: Headers,
  signals: readonly object[],
  more?: object,
): Promise<string> {
  const [all = []] = await matches(service, headers, [signals], more)
  return all.join()
}

/**
 * Flips each bit of a hash at the edge of a match. If the answer differs from the usual one, the stored hash differs in that bit.
 * @returns how many of the differing bits the attacker recovered.
 */
export async function recovered(stored: Hash256, at: Hash256, asking: Ask): Promise<number> {
  const told: string[] = []
  for (const bit of BITS) told.push(await asking(flipped(at, [bit]), bit))
  const times = (answer: string) => told.filter((other) => other === answer).length
  const usual = told.reduce((one, other) => (times(other) > times(one) ? other : one))
  const guess = flipped(
    at,
    BITS.filter((bit) => told[bit] !== usual),
  )
  return distance(at, stored) - distance(guess, stored)
}

/**
 * What an attack recovers, and from a second picture if that was this many bits or more. A blurred distance betrays a bit in one of 16 queries by
 * chance, so that one search in 600 recovers 12 of 32 bits: two in a row are no chance.
 */
export async function atMostOnce(bound: number, attack: () => Promise<number>): Promise<number> {
  const known = await attack()
  return known < bound ? known : await attack()
}

export const noise = () => signal(hashFromBytes(randomBytes(32)))

/** Adds an allowlisted hash this many bits from a registered one. */
export async function harmlessBeside(service: TestService, stored: Hash256, bits: number) {
  const payload = { signals: [{ ...signal(away(stored, bits)), quality: 100 }] }
  const { statusCode } = await post(service.app, '/v1/banks/harmless/signals', payload, (await operator(service)).headers)
  if (statusCode !== 201) throw new Error('a bank takes hashes')
}
