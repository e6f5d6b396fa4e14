// Hash sharing v2, the XML protocol of NCMEC's platform. Used for lists about adults that other organisations publish in this format.

import { createHash } from 'node:crypto'
import { SaxesParser } from 'saxes'
import { z } from 'zod'
import { tagDeclaresMinor } from '../../domain/cases/minors.js'
import { signalFrom } from '../given-signal.js'
import { BaseUrl, type Feed, FeedError, type FeedRecord, MAX_PARTS, recordFrom, under } from './feed-page.js'

/** Hosts whose lists are about children. Only hotlines may have those lists; they are never imported. */
const CHILDRENS_LISTS = /(^|\.)(ncmec|cybertip|missingkids)\.org$/i

export const NcmecConfig = z.strictObject({
  api: z.literal('ncmec'),
  baseUrl: BaseUrl.refine(
    (url) => !CHILDRENS_LISTS.test(new URL(url).hostname.replace(/\.$/, '')),
    'is a list about children, which is never imported',
  ),
  username: z.string().min(1),
  password: z.string().min(1),
  /** Classifications that mean adults, as agreed with the publisher of the list. Records with another one, or none, are rejected. */
  adultClassifications: z
    .array(
      z
        .string()
        .min(1)
        .refine((name) => !tagDeclaresMinor(name), 'is a classification of pictures of children'),
    )
    .min(1),
})

/** Position at which the first pull begins; older than any entry. */
const FIRST = '2017-10-20T00:00:00Z'
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
/** Start of the path of every page. */
const ENTRIES = '/v2/entries?'
const MAX_DEPTH = 12
const MAX_TEXT_CHARS = 1024

export function ncmecFeed({ baseUrl, username, password, adultClassifications }: z.infer<typeof NcmecConfig>): Feed {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  return {
    identity: under(baseUrl, ''),
    start: { position: FIRST, highest: FIRST },
    request({ position, cursor }) {
      const path = cursor ?? `${ENTRIES}${new URLSearchParams({ from: position })}`
      return { method: 'GET', url: under(baseUrl, path), headers: { authorization, accept: 'application/xml' } }
    },
    /** Entries are not sorted by time, so the position advances only after the last page. */
    read(body, { position, highest }) {
      const { entries, times, next } = parse(body)
      const furthest = [highest, ...times.filter((time) => TIME.test(time))].toSorted().at(-1) ?? highest
      const records = entries.map((entry) => recordOf(entry, adultClassifications))
      if (next === undefined) return { records, next: { position: furthest, highest: furthest }, isLast: true }
      if (!next.startsWith(ENTRIES)) throw new FeedError('next-page-outside-feed')
      return { records, next: { position, cursor: next, highest: furthest }, isLast: false }
    },
  }
}

interface Entry {
  readonly kind: string
  member: string
  id: string
  classification: string
  pdq: string
}

function recordOf({ kind, member, id, classification, pdq }: Entry, ofAdults: readonly string[]): FeedRecord {
  if (member === '' || id === '') return { kind: 'rejected', entry: undefined, why: 'record-unreadable' }
  const entry = `${member}-${id}`
  if (kind === 'deletedImage' || kind === 'deletedVideo') return { kind: 'deleted', entry }
  if (tagDeclaresMinor(classification)) return { kind: 'rejected', entry, why: 'minor-declared' }
  if (!ofAdults.includes(classification)) return { kind: 'rejected', entry, why: 'classification-unlisted' }
  if (kind !== 'image' || pdq === '') return { kind: 'rejected', entry, why: 'signal-type-unknown' }
  return recordFrom(entry, signalFrom({ typeText: 'pdq', hex: pdq, ref: refOf(entry) }))
}

/** A reference that is unique for each entry and fits a record. Two entries with the same hash are two signals, removed independently. */
function refOf(entry: string): string {
  return Buffer.byteLength(entry) <= 200 ? entry : createHash('sha256').update(entry).digest('hex')
}

const ENTRY_KINDS = ['image', 'video', 'deletedImage', 'deletedVideo']

/**
 * Reads known elements in one pass, without a tree. Document types are refused, so custom entities are never expanded.
 * @throws {FeedError} response-invalid, also for more than `MAX_PARTS` elements and attributes.
 */
function parse(body: Buffer) {
  const entries: Entry[] = []
  const times: string[] = []
  const path: string[] = []
  let entry: Entry | undefined
  let text = ''
  let next: string | undefined
  let parts = 0
  const parser = new SaxesParser()
  const refuse = () => {
    throw new FeedError('response-invalid')
  }
  parser.on('error', refuse)
  parser.on('doctype', refuse)
  const count = () => {
    parts++
    if (parts > MAX_PARTS) refuse()
  }
  parser.on('opentagstart', count)
  parser.on('attribute', count)
  parser.on('opentag', ({ name, attributes }) => {
    const local = localOf(name)
    path.push(local)
    text = ''
    if (path.length > MAX_DEPTH) refuse()
    if (path.length === 3 && ENTRY_KINDS.includes(local))
      entry = { kind: local, member: '', id: '', classification: '', pdq: '' }
    if (local === 'member' && entry !== undefined) entry.member = String(attributes['id'] ?? '').slice(0, 64)
    if (path.length === 2 && attributes['maxTimestamp'] !== undefined) times.push(String(attributes['maxTimestamp']))
  })
  const append = (more: string) => {
    if (text.length + more.length > MAX_TEXT_CHARS) refuse()
    text += more
  }
  parser.on('text', append)
  parser.on('cdata', append)
  parser.on('closetag', () => {
    const local = path.pop()
    const value = text.trim()
    text = ''
    if (entry !== undefined) {
      if (path.length === 3 && local === 'id') entry.id = value.slice(0, 256)
      if (path.length === 3 && local === 'classification') entry.classification = value
      if (path.length === 4 && path.at(-1) === 'fingerprints' && local === 'pdq') entry.pdq = value
    }
    if (path.length === 2 && entry !== undefined && local === entry.kind) {
      entries.push(entry)
      entry = undefined
    }
    if (path.at(-1) === 'paging' && local === 'next' && value !== '') next = value
  })
  parser.write(body.toString('utf8')).close()
  return { entries, times, next }
}

/** @returns the name of an element without its namespace prefix. */
function localOf(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}
