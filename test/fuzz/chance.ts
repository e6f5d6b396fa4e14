// Randomness that a seed repeats, and random texts, JSON and bytes made with it.

import { createHash } from 'node:crypto'

export interface Chance {
  /** 0 … below - 1. */
  below(bound: number): number
  happens(probability: number): boolean
  oneOf<T>(choices: readonly T[]): T
  bytes(count: number): Buffer
}

/** @see Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014; here as mulberry32. */
export function chanceFrom(seed: number): Chance {
  let state = createHash('sha256').update(String(seed)).digest().readUInt32LE()
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (bound: number) => Math.floor(next() * bound)
  return {
    below,
    happens: (probability) => next() < probability,
    oneOf(choices) {
      const chosen = choices[below(choices.length)]
      if (chosen === undefined) throw new RangeError('nothing to choose from')
      return chosen
    },
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => below(256))),
  }
}

const ODD_TEXTS: readonly string[] = [
  '',
  ' ',
  '\0',
  '%00',
  '%',
  '../..',
  '..%2f..%2fetc%2fpasswd',
  '__proto__',
  'constructor',
  'ﬀ'.repeat(64),
  '０'.repeat(64),
  '\u202e',
  '\ud800',
  '💥'.repeat(100),
  "' OR 1=1 --",
  '{{7*7}}',
  '\u0024{jndi:ldap://x}',
  '<script>',
  '\r\nX-Injected: 1',
  'null',
  '-0',
  '1e999',
  'true',
  'a'.repeat(70_000),
]
const ODD_VALUES: readonly unknown[] = [null, true, 0, -1, 1e308, 2 ** 53, 0.1, [], {}, [[[[]]]], '', 'x']

export function oddText(chance: Chance): string {
  if (chance.happens(0.6)) return chance.oneOf(ODD_TEXTS)
  return chance.bytes(chance.below(100)).toString(chance.oneOf(['latin1', 'hex', 'base64url', 'utf8']))
}

/** A hash as text, valid or with a flaw. */
export function hashText(chance: Chance): string {
  const hash = chance.bytes(32).toString('hex')
  switch (chance.below(8)) {
    case 0:
      return hash.toUpperCase()
    case 1:
      return hash.slice(0, chance.below(64))
    case 2:
      return hash + chance.oneOf(['0', '\n', ' ', 'g'])
    case 3: {
      const at = chance.below(64)
      return hash.slice(0, at) + chance.oneOf(['g', '０', 'а', '\0', '-', ' ']) + hash.slice(at + 1)
    }
    default:
      return hash
  }
}

/** A text like a key, a case token or a JWT, with a flaw. */
export function tokenText(chance: Chance, known: readonly string[]): string {
  const part = () => chance.bytes(1 + chance.below(60)).toString('base64url')
  const made = chance.oneOf([
    () => `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${part()}.`,
    () => `${part()}.${part()}.${part()}`,
    () => mutatedText(chance, chance.oneOf(known)),
    () => chance.oneOf(known),
    () => oddText(chance),
  ])()
  return made.replaceAll(/[^\x20-\x7e\x80-\xff]/g, '')
}

function mutatedText(chance: Chance, text: string): string {
  return mutatedBytes(chance, Buffer.from(text)).toString('latin1')
}

/** The value with one part replaced, removed, duplicated or wrapped. */
export function mutatedJson(chance: Chance, value: unknown, depth = 0): unknown {
  if (depth > 8 || chance.happens(0.15)) return chance.happens(0.5) ? chance.oneOf(ODD_VALUES) : oddText(chance)
  if (Array.isArray(value)) {
    const copy: unknown[] = [...value]
    const at = chance.below(copy.length + 1)
    if (chance.happens(0.2)) return [...copy, ...copy, ...copy]
    if (at < copy.length) copy[at] = mutatedJson(chance, copy[at], depth + 1)
    else copy.push(chance.oneOf(ODD_VALUES))
    return copy
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    const at = chance.below(entries.length + 1)
    const entry = entries[at]
    if (entry === undefined) entries.push([oddText(chance).slice(0, 100), chance.oneOf(ODD_VALUES)])
    else if (chance.happens(0.2)) entries.splice(at, 1)
    else entry[1] = mutatedJson(chance, entry[1], depth + 1)
    return Object.fromEntries(entries)
  }
  if (typeof value === 'string' && value.length === 64) return hashText(chance)
  return chance.happens(0.5) ? value : chance.oneOf(ODD_VALUES)
}

/** Changes, removes, inserts or duplicates some bytes, or cuts off the end. */
export function mutatedBytes(chance: Chance, given: Buffer): Buffer {
  let bytes = Buffer.from(given)
  for (let i = 1 + chance.below(4); i > 0; i--) {
    const at = chance.below(bytes.length + 1)
    const length = chance.below(Math.min(64, bytes.length - at) + 1)
    switch (chance.below(6)) {
      case 0:
        if (at < bytes.length) bytes[at] = chance.below(256)
        break
      case 1:
        if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << chance.below(8))
        break
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])
        break
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), chance.bytes(chance.below(16)), bytes.subarray(at)])
        break
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)])
        break
      case 5:
        if (chance.happens(0.3)) bytes = bytes.subarray(0, at)
        break
    }
  }
  return bytes
}
