// What a line of a file says: hex alone, `pdq <hex>`, CSV with a header, or JSON.

import { z } from 'zod'
import { type Hash256, parseHash } from '../../packages/hash/src/hash256.js'
import { declaresMinor, tagDeclaresMinor } from '../domain/cases/minors.js'
import { UUID_PATTERN } from '../domain/ids.js'
import { isProbable } from '../domain/matching/probable-hash.js'
import { CATEGORY_NAMES, type Signal, TIER_NAMES, VIEW_NAMES } from '../domain/matching/signal.js'
import { SIGNAL_TYPE_NAMES, SIGNAL_TYPES, type SignalType } from '../domain/matching/signal-types.js'
import { FILE_FORMATS, type FileFormat, type ReadRecord, type RecordRejection } from '../domain/organisations/bank-import.js'
import { ownValue } from '../domain/own-value.js'
import { csvFields } from './csv-fields.js'

export type LineReader = (text: string) => ReadRecord

/** What a stored record has room for. */
const MAX_REF_BYTES = 255
const NUL = '\0'

/** The format that the first line of a file with something in it shows, and what that line itself comes to. */
export function readerFor(first: string): Recognised & { readonly format: FileFormat } {
  for (const format of FILE_FORMATS) {
    const found = RECOGNISED[format](first)
    if (found !== undefined) return { format, ...found }
  }
  return { format: 'lines', ...readAs(readPlain, first) }
}

interface Recognised {
  readonly read: LineReader
  readonly first: ReadRecord
}

/** How each format is read, where the first line is of it. */
const RECOGNISED: Readonly<Record<FileFormat, (first: string) => Recognised | undefined>> = {
  ndjson: (first) => (first.startsWith('{') ? readAs(readJson, first) : undefined),
  csv(first) {
    const columns = csvFields(first)
    const header = columns === undefined ? undefined : headerOf(columns)
    if (header !== undefined) return { read: csvReader(header), first: { kind: 'blank' } }
    // As photo hashers write it: hash, quality, a file name that is not looked at.
    const isHeaderless = columns !== undefined && columns.length > 1 && isHex(columns[0] ?? '')
    return isHeaderless ? readAs(csvReader(HEADERLESS), first) : undefined
  },
  lines: () => undefined, // what no other format takes
}

function readAs(read: LineReader, first: string): Recognised {
  return { read, first: read(first) }
}

/** `<64 hex>` or `<type> <64 hex>`; a line that begins with # is a comment. */
export function readPlain(text: string): ReadRecord {
  if (text === '' || text.startsWith('#')) return { kind: 'blank' }
  if (text.includes(NUL)) return rejected('record-unreadable')
  const [, typeText = 'pdq', hex = ''] = /^(?:(\S+)[ \t]+)?(\S+)$/.exec(text) ?? []
  return hex === '' ? rejected('record-unreadable') : signalFrom({ typeText, hex })
}

const MAX_PICTURE_SIGNALS = 64
const Quality = z.int().min(0).max(100)
const SignalLine = z.object({
  signalId: z.string().toLowerCase().regex(UUID_PATTERN).optional().catch(undefined),
  type: z.enum(SIGNAL_TYPE_NAMES),
  hash: z.string(),
  quality: Quality.optional(),
  ref: z
    .string()
    .min(1)
    .refine((ref) => Buffer.byteLength(ref) <= MAX_REF_BYTES)
    .nullish(),
  category: z.enum(CATEGORY_NAMES).nullish(),
  tier: z.enum(TIER_NAMES).nullish(),
  /** As it was handed in, where others raised it since: importing a file does not vouch for what is in it. */
  registeredTier: z.enum(TIER_NAMES).nullish(),
  /** All signals of a picture, that of the line among them. */
  signals: z
    .array(z.object({ type: z.enum(SIGNAL_TYPE_NAMES), view: z.enum(VIEW_NAMES), quality: Quality, hash: z.string() }))
    .min(1)
    .max(MAX_PICTURE_SIGNALS)
    .optional(),
  deleted: z.boolean().optional(),
})
const TombstoneLine = z.object({
  signalId: z.string().toLowerCase().regex(UUID_PATTERN),
  deleted: z.literal(true),
  hash: z.undefined().optional(),
})
const WHY: Readonly<Record<string, RecordRejection>> = {
  type: 'signal-type-unknown',
  hash: 'hash-malformed',
  quality: 'quality-too-low',
  ref: 'ref-unfit',
  category: 'category-unknown',
}

/** What `tabir export` writes, and what a partner writes: more fields than these do no harm. */
export function readJson(text: string): ReadRecord {
  if (text === '') return { kind: 'blank' }
  const value = parsed(text)
  if (typeof value !== 'object' || value === null) return rejected('record-unreadable')
  if (declaresMinor(value) || tagsIn(value).some(tagDeclaresMinor)) return rejected('minor-declared')
  const tombstone = TombstoneLine.safeParse(value)
  if (tombstone.success) return { kind: 'remove-id', signalId: tombstone.data.signalId }
  const line = SignalLine.safeParse(value)
  if (!line.success) return rejected(ownValue(WHY, String(line.error.issues[0]?.path[0])) ?? 'record-unreadable')
  const { signalId, type, hash: hex, quality, category, tier, registeredTier = tier, deleted } = line.data
  const ref = line.data.ref ?? undefined
  const hash = parseHash(hex.toLowerCase())
  if (hash === undefined) return rejected('hash-malformed')
  const picture = pictureIn(line.data.signals, { type, hash })
  if (typeof picture === 'string') return rejected(picture)
  if (deleted === true) return { kind: 'remove', signal: { signal: { type, hash }, picture, ref }, signalId }
  const read = signalFrom({
    typeText: type,
    hex,
    ...(quality !== undefined && { quality }),
    ref,
    category: category ?? undefined,
    isReviewed: registeredTier !== 'self-reported',
  })
  return read.kind === 'put' ? { ...read, signal: { ...read.signal, picture }, signalId } : read
}

/** @param itself the whole of the picture, which has to be among them. */
function pictureIn(
  given: z.infer<typeof SignalLine>['signals'],
  itself: Pick<Signal, 'type' | 'hash'>,
): Signal[] | undefined | RecordRejection {
  if (given === undefined) return undefined
  const signals: Signal[] = []
  for (const { type, view, quality, hash: hex } of given) {
    const hash = parseHash(hex.toLowerCase())
    if (hash === undefined) return 'hash-malformed'
    if (quality < SIGNAL_TYPES[type].minQuality) return 'quality-too-low'
    signals.push({ type, view, quality, hash })
  }
  const isThere = signals.some(
    ({ type, view, hash }) => view === 'whole' && type === itself.type && isSame(hash, itself.hash),
  )
  return isThere ? signals : 'record-unreadable'
}

function isSame(one: Hash256, other: Hash256): boolean {
  return Buffer.compare(one, other) === 0
}

/** What other systems write beside a hash, in lists or with something between. */
function tagsIn(record: object): string[] {
  const named = Object.entries(record).filter(([name]) => TAG_FIELDS.includes(name.toLowerCase()))
  return named.flatMap(([, tags]) =>
    [tags].flat().flatMap((tag) => (typeof tag === 'string' ? [tag, ...tag.split(/[\s;|]+/)] : [])),
  )
}
const TAG_FIELDS = ['tags', 'labels', 'classification']

/** Which column holds what; the columns of other names are not looked at. */
interface Columns {
  readonly type: number | undefined
  /** What the name of the column says that its hashes are, where no other column says it. */
  readonly typeText: string
  readonly hash: number
  readonly quality: number | undefined
  readonly opinion: number | undefined
  readonly tags: number | undefined
  readonly count: number
}
const HEADERLESS: Columns = {
  type: undefined,
  typeText: 'pdq',
  hash: 0,
  quality: 1,
  opinion: undefined,
  tags: undefined,
  count: 2,
}

function headerOf(names: readonly string[]): Columns | undefined {
  const at = (...known: string[]) => {
    const place = names.findIndex((name) => known.includes(name.trim().toLowerCase()))
    return place === -1 ? undefined : place
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
    opinion: at('category'),
    tags: at('tags', 'labels'),
    count: Math.max(hash, type ?? 0) + 1,
  }
}

/**
 * The kind of hash that a column is called after. What is called after a checksum is never read as PDQ: it would match at random, and be
 * refused as what it is.
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

/** The opinion of whoever made the file, in the words of ThreatExchange. Only what was found harmful, or may be, is taken. */
const OPINIONS: Readonly<Record<string, 'reviewed' | 'unreviewed' | 'not-harmful'>> = {
  POSITIVE_CLASS: 'reviewed',
  INVESTIGATION_SEED: 'unreviewed',
  NEGATIVE_CLASS: 'not-harmful',
  DISPUTED: 'not-harmful',
}

function csvReader(columns: Columns): LineReader {
  return (text) => {
    if (text === '') return { kind: 'blank' }
    const fields = text.includes(NUL) ? undefined : csvFields(text)
    if (fields === undefined) return rejected('record-unreadable')
    if (fields.length < columns.count) return rejected('columns-missing')
    const field = (at: number | undefined) => (at === undefined ? '' : (fields[at] ?? '').trim())
    const tags = field(columns.tags).split(/[\s;|]+/)
    if (tags.some(tagDeclaresMinor) || tagDeclaresMinor(field(columns.tags))) return rejected('minor-declared')
    const said = field(columns.opinion)
    const opinion = ownValue(OPINIONS, said) ?? 'reviewed'
    if (opinion === 'not-harmful') return rejected('not-harmful')
    const qualityText = field(columns.quality)
    return signalFrom({
      typeText: field(columns.type) || columns.typeText,
      hex: field(columns.hash),
      ...(qualityText !== '' && { quality: /^\d{1,3}$/.test(qualityText) ? Number(qualityText) : -1 }),
      category: CATEGORY_NAMES.find((name) => tags.includes(name)),
      isReviewed: opinion === 'reviewed',
    })
  }
}

interface Fields {
  readonly typeText: string
  readonly hex: string
  readonly quality?: number
  readonly ref?: string | undefined
  readonly category?: (typeof CATEGORY_NAMES)[number] | undefined
  readonly isReviewed?: boolean
}

/** One signal as another system gives it. Without a quality, it is taken to have been good enough for that system. */
export function signalFrom({ typeText, hex, quality = 100, ref, category, isReviewed = true }: Fields): ReadRecord {
  const type = typeNamed(typeText)
  if (type === undefined) return rejected('signal-type-unknown')
  const hash = parseHash(hex.toLowerCase())
  if (hash === undefined) return rejected('hash-malformed')
  if (!isProbable(type, hash)) return rejected('hash-improbable')
  if (quality < SIGNAL_TYPES[type].minQuality || quality > 100) return rejected('quality-too-low')
  return {
    kind: 'put',
    signal: {
      signal: { type, view: 'whole', quality, hash },
      ref,
      category,
      ...(!isReviewed && { tier: 'self-reported' }),
    },
  }
}

function typeNamed(text: string): SignalType | undefined {
  const name = text.toLowerCase()
  if (name === 'hash_pdq') return 'pdq'
  return name === 'sha-256' || name === 'hash_sha256' ? 'sha256' : SIGNAL_TYPE_NAMES.find((known) => known === name)
}

function isHex(text: string): boolean {
  return /^[0-9a-f]{64}$/i.test(text.trim())
}

function rejected(why: RecordRejection): ReadRecord {
  return { kind: 'rejected', why }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
