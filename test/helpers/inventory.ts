// The tables of docs/data-inventory.md about Redis, and what of a store they do not describe.

import type { Redis } from 'ioredis'

interface Row {
  readonly pattern: RegExp
  readonly name: string
  readonly holds: string
  readonly kept: string
}

const TAG = '{tabir}:'
const UNITS_MS = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const
const NUMBERS: Readonly<Record<string, number>> = { a: 1, an: 1, two: 2 }
/** The words of a lifetime that are no durations: what else a key waits for. */
const ONLY_DURATIONS = /^(?:(?:at most|up to|and|of|,|;|\d+|a|an|two|second|minute|hour|day|s)\s*)+$/

/** A hash whose fields are names or ids: `name: owner, …`, or one value for each name. */
const IS_MAP = /^[a-z ]*name: |for each /

/** The rows of all tables before the description of an image record, one for each key that they name. */
export function rowsOf(inventory: string): Row[] {
  const redis = inventory.slice(inventory.indexOf('\n## Redis'), inventory.indexOf('\n### An image record'))
  return redis.split('\n').flatMap((line) => {
    const [, names = '', holds = '', kept = ''] =
      line.split(' | ').length === 3 ? ['', ...line.slice(2, -2).split(' | ')] : []
    return namesIn(names).map((name) => ({ name, holds, kept, pattern: patternOf(name) }))
  })
}

/** `a:<x>:h<y>`, `:d<y>` names two keys: `a:<x>:h<y>` and `a:<x>:d<y>`. `a:0` … `:9` names ten keys, and gives one pattern. */
function namesIn(cell: string): string[] {
  const names: string[] = []
  for (const [, isRange, name = ''] of cell.matchAll(/(… )?`([^`]+)`/g)) {
    const last = names.at(-1) ?? ''
    if (isRange !== undefined) names[names.length - 1] = last.replace(/0$/, '#')
    else if (name.startsWith(':'))
      names.push(/:h<[^:]*$/.test(last) ? last.replace(/:[^:]*$/, name) : (names[0] ?? '') + name)
    else names.push(name)
  }
  return names
}

function patternOf(name: string): RegExp {
  const source = name.split(/(<[^>]*>|\*|#)/).map((piece) => {
    if (piece === '*') return '.*'
    if (piece === '#') return '[0-9]+'
    return piece.startsWith('<') ? '[^:]+' : piece.replace(/[.]/g, '\\.')
  })
  return new RegExp(`^${source.join('')}$`)
}

/** What the inventory does not say of the keys of a store: names, fields of their own words, and how long they are kept. */
export async function unlistedIn(client: Redis, rows: readonly Row[]): Promise<string[]> {
  const unlisted = new Set<string>()
  for (const bytes of await client.keysBuffer('*')) {
    const key = bytes.toString('latin1')
    const name = key.startsWith(TAG) ? key.slice(TAG.length) : key
    const found = rows.filter(({ pattern }) => pattern.test(name))
    const [row] = found.filter((each) => !each.name.endsWith('*')).concat(found)
    if (row === undefined) unlisted.add(`key ${name}`)
    if (row === undefined || row.name.endsWith('*')) continue // BullMQ makes its own fields
    const leftMs = await client.pttl(bytes)
    if (leftMs > longestMs(row.kept)) unlisted.add(`${row.name} expires in ${leftMs} ms, not in ${row.kept}`)
    if (leftMs === -1 && ONLY_DURATIONS.test(row.kept)) unlisted.add(`${row.name} never expires, not in ${row.kept}`)
    const fields = IS_MAP.test(row.holds) ? [] : await ownWords(client, bytes)
    for (const field of fields) if (!row.holds.includes(`\`${field}\``)) unlisted.add(`field ${field} of ${row.name}`)
  }
  return [...unlisted].sort()
}

/** The longest time that a lifetime names; 0 if it names none. */
function longestMs(kept: string): number {
  const times = [...kept.matchAll(/(\d+|two|an?) (second|minute|hour|day)/g)].map(
    ([, count = '', unit]) => (NUMBERS[count] ?? Number(count)) * UNITS_MS[unit as keyof typeof UNITS_MS],
  )
  return / and an? /.test(kept) ? times.reduce((sum, ms) => sum + ms, 0) : Math.max(0, ...times)
}

/** Characters of the shortest digest or id that is a field: by chance some are letters alone. */
const DIGEST_CHARACTERS = 22

/** The names of fields, where all of them are words; other fields are ids, digests or names that somebody chose. */
async function ownWords(client: Redis, key: Buffer): Promise<string[]> {
  const type = await client.type(key)
  const names =
    type === 'hash'
      ? await client.hkeys(key)
      : type === 'stream'
        ? (await client.xrange(key, '-', '+')).flatMap(([, fields]) => fields.filter((_, i) => i % 2 === 0))
        : []
  const isWord = (name: string) => name.length < DIGEST_CHARACTERS && /^[a-z]+([A-Z][a-z]*)*$/.test(name)
  return names.every(isWord) ? [...new Set(names)] : []
}
