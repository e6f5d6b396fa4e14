// What a client of HMA writes beside content, kept as the reference of the image: sealed with it, and gone with it.

import { isObject } from './lax.js'
import { HmaRefusal } from './refusals.js'

export interface ContentText {
  readonly note?: string
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** Marks references that HMA clients set. */
const MARK = 'hma '
/** Maximum size of a reference in a stored record. */
const MAX_BYTES = 255
const MAX_NOTE_CHARS = 255
const METADATA_KEYS = ['content_id', 'content_uri', 'json']

export function refOf({ note, metadata }: ContentText): string | undefined {
  if (note === undefined && metadata === undefined) return undefined
  const ref = MARK + JSON.stringify({ note, metadata })
  if (Buffer.byteLength(ref) > MAX_BYTES)
    throw new HmaRefusal(400, 'Invalid metadata: metadata and note may have at most 220 bytes together')
  return ref
}

export function textIn(ref: string | undefined): ContentText {
  if (ref?.startsWith(MARK) !== true) return {}
  const { note, metadata }: ContentText = JSON.parse(ref.slice(MARK.length))
  return { ...(note !== undefined && { note }), ...(metadata !== undefined && { metadata }) }
}

export function noteIn(note: unknown): string | undefined {
  if (note === undefined || note === null || note === '') return undefined
  if (typeof note !== 'string') throw new HmaRefusal(400, 'note should be a string')
  if ([...note].length > MAX_NOTE_CHARS) throw new HmaRefusal(400, 'note must be at most 255 characters')
  return note
}

/** @param given an object, or a form field with its JSON. */
export function metadataIn(given: unknown): ContentText['metadata'] {
  const value = typeof given === 'string' ? parsed(given) : given
  if (value === undefined || value === null) return undefined
  if (!isObject(value)) throw new HmaRefusal(400, 'metadata should be a json object')
  const { collab: _, ...rest }: Record<string, unknown> = { ...value }
  for (const [key, inner] of Object.entries(rest)) {
    const fits = key === 'json' ? isObject(inner) : typeof inner === 'string'
    if (!METADATA_KEYS.includes(key) || !(fits || inner === null))
      throw new HmaRefusal(400, 'Invalid metadata: only content_id, content_uri and json are allowed')
  }
  const kept = Object.fromEntries(Object.entries(rest).filter(([, inner]) => inner !== null))
  return Object.keys(kept).length === 0 ? undefined : kept
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new HmaRefusal(400, 'metadata form field must be valid JSON')
  }
}
