// Signals in lines of CSV: with a header, such as ThreatExchange's, or without one, as photo hashers write them.

import { CATEGORY_NAMES } from '../../packages/core/src/matching/signal.js'
import { ownValue } from '../../packages/core/src/own-value.js'
import { fieldDeclaresMinor } from '../domain/cases/minors.js'
import { csvFields, SEPARATORS, type Separator } from './csv-fields.js'
import { isTagField, type LineReader, NUL, rejected, signalFrom, tagsDeclareMinor, typeNamed } from './given-signal.js'
import { MAX_SHORT_LINE_CHARS } from './text-lines.js'
import { newSignalOf, readVpdqJson } from './vpdq.js'

/**
 * @param first the first line of a file.
 * @returns how to read the other lines, and whether the first line is a header; `undefined` if it is not CSV.
 */
export function csvReaderFor(first: string): { readonly read: LineReader; readonly isHeader: boolean } | undefined {
  if (first.length > MAX_SHORT_LINE_CHARS) return undefined
  const split = SEPARATORS.map((separator) => ({ separator, columns: csvFields(first, separator) ?? [] }))
  split.sort((a, b) => b.columns.length - a.columns.length) // `pdq;hash` is two columns, and not one of that name
  for (const { separator, columns } of split) {
    const headerless = HEADERLESS.find(({ hash }) => columns.length > 1 && isHex(columns[hash] ?? ''))
    if (separator === '\t' && headerless?.hash === 1 && columns.length === 2) continue // `pdq<tab>hash` is a plain line, as with a space
    if (headerless !== undefined) return { read: csvReader(headerless, separator), isHeader: false }
    const header = headerOf(columns)
    if (header !== undefined) return { read: csvReader(header, separator), isHeader: true }
  }
  return undefined
}

/** The index of each known column. Columns with other names are ignored. */
interface Columns {
  readonly type: number | undefined
  /** The signal type by the name of the hash column. Used where no type column says otherwise. */
  readonly typeText: string
  readonly hash: number
  readonly quality: number | undefined
  readonly category: number | undefined
  readonly status: number | undefined
  readonly tags: number | undefined
  /** Those that may say that the picture shows a person under 18: its tags, and age by its name. */
  readonly telling: readonly { readonly name: string; readonly at: number }[]
  readonly count: number
}
const UNNAMED = { type: undefined, quality: undefined, category: undefined, status: undefined, tags: undefined, telling: [] }
/** As photo hashers write it: hash, quality, a file name, which is ignored; or a type and a hash. */
const HEADERLESS: readonly Columns[] = [
  { ...UNNAMED, typeText: 'pdq', hash: 0, quality: 1, count: 2 },
  { ...UNNAMED, typeText: '', type: 0, hash: 1, quality: 2, count: 2 },
]

function headerOf(names: readonly string[]): Columns | undefined {
  if (names.some((name) => /[\r\0]/.test(name) || isHex(name))) return undefined // data, or lines that end as none do here
  const at = (...known: string[]) => {
    const index = names.findIndex((name) => known.includes(name.trim().toLowerCase()))
    return index === -1 ? undefined : index
  }
  const type = at('signal_type', 'type', 'hash_type', 'algorithm')
  const plain = at('signal_str', 'hash', 'hashes', 'indicator', 'signal', 'signals')
  const named = names.map(typeInName)
  const hash = plain ?? at('pdq', 'pdq_hash', 'hash_pdq') ?? firstOf(named)
  if (hash === undefined) return undefined
  return {
    type,
    typeText: named[hash] ?? 'pdq',
    hash,
    quality: at('quality'),
    category: at('category'),
    status: at('status'),
    tags: at('tags', 'labels'),
    telling: names.map((name, at) => ({ name: name.trim().toLowerCase(), at })).filter(({ name }) => isTelling(name)),
    count: Math.max(hash, type ?? 0) + 1,
  }
}

function isTelling(name: string): boolean {
  return isTagField(name) || name === 'category' || name === 'age' || name === 'adult'
}

/**
 * The kind of hash that a column is named after. It includes checksums, such as `sha512`: read as PDQ they would match at random, so they
 * are named here and then rejected as an unknown type.
 */
function typeInName(name: string): string | undefined {
  const letters = name.toLowerCase().replace(/[^a-z0-9]/g, '')
  return KINDS_IN_NAMES.find(
    (kind) => letters === kind || letters === `${kind}hash` || letters === `hash${kind}` || letters === `file${kind}`,
  )
}
const KINDS_IN_NAMES = [
  'pdq',
  'blockhash',
  'sha256',
  'md5',
  'videomd5',
  'sha1',
  'sha512',
  'phash',
  'dhash',
  'ahash',
  'photodna',
  'tmk',
  'vpdq',
]

function firstOf(named: readonly (string | undefined)[]): number | undefined {
  const known = named.findIndex((name) => name !== undefined && typeNamed(name) !== undefined)
  const any = known === -1 ? named.findIndex((name) => name !== undefined) : known
  return any === -1 ? undefined : any
}

/** Opinions as ThreatExchange names them, in both of its columns. Signals that the author of the file found harmless, or disputes, are rejected. */
const OPINIONS: Readonly<Record<string, 'reviewed' | 'unreviewed' | 'not-harmful'>> = {
  POSITIVE_CLASS: 'reviewed',
  INVESTIGATION_SEED: 'unreviewed',
  NEGATIVE_CLASS: 'not-harmful',
  DISPUTED: 'not-harmful',
  MALICIOUS: 'reviewed',
  SUSPICIOUS: 'unreviewed',
  UNKNOWN: 'unreviewed',
  NON_MALICIOUS: 'not-harmful',
}

function csvReader(columns: Columns, separator: Separator): LineReader {
  return (text) => {
    if (text.trim() === '') return { kind: 'blank' }
    if (text.length > MAX_SHORT_LINE_CHARS && !/vpdq/i.test(text)) return rejected('record-too-long')
    const fields = text.includes(NUL) ? undefined : csvFields(text, separator)
    if (fields === undefined) return rejected('record-unreadable')
    if (fields.length < columns.count) return rejected('columns-missing')
    const field = (at: number | undefined) => (at === undefined ? '' : (fields[at] ?? '').trim())
    const tellsOfMinor = ({ name, at }: { readonly name: string; readonly at: number }) =>
      tagsDeclareMinor(field(at)) || fieldDeclaresMinor(name, field(at))
    if (columns.telling.some(tellsOfMinor)) return rejected('minor-declared')
    const named = field(columns.category)
    const opinions = [columns.category, columns.status].map((at) => ownValue(OPINIONS, field(at).toUpperCase()))
    if (opinions.includes('not-harmful')) return rejected('not-harmful')
    const isReviewed = !opinions.includes('unreviewed')
    const tags = [...field(columns.tags).split(/[\s;|]+/), named.toLowerCase()]
    const category = CATEGORY_NAMES.find((name) => tags.includes(name))
    const isIgnored = category === undefined && named !== '' && ownValue(OPINIONS, named.toUpperCase()) === undefined
    const typeText = field(columns.type) || columns.typeText
    if (typeText.toLowerCase() === 'vpdq') {
      const video = readVpdqJson(field(columns.hash))
      const facts = { category, ...(!isReviewed && { tier: 'self-reported' as const }) }
      if (typeof video === 'string') return rejected(video)
      return { kind: 'put', signal: newSignalOf(video, facts), ...(isIgnored && { isCategoryIgnored: true }) }
    }
    const qualityText = field(columns.quality)
    const read = signalFrom({
      typeText,
      hex: field(columns.hash),
      ...(qualityText !== '' && { quality: /^\d{1,3}$/.test(qualityText) ? Number(qualityText) : -1 }),
      category,
      isReviewed,
    })
    return isIgnored && read.kind === 'put' ? { ...read, isCategoryIgnored: true } : read
  }
}

function isHex(text: string): boolean {
  return /^(0x)?([0-9a-f]{32}){1,2}$/i.test(text.trim())
}
