// Detects declarations that a picture shows a person under 18. Checked on every intake: request bodies, import lines, form fields and tags.

import { ADULT_AGE_YEARS } from './hotlines.js'

/** Maximum nesting to search. No body that Tabir reads is nested deeper, even with the extra fields that other systems add. */
const MAX_DEPTH = 8

/**
 * @param body parsed JSON.
 * @returns whether any object in it declares a person under 18.
 * Cost: visits each object once; two look-ups per object.
 */
export function declaresMinor(body: unknown, depth = 0): boolean {
  if (typeof body !== 'object' || body === null || depth > MAX_DEPTH) return false
  if (!Array.isArray(body)) {
    if (!isPlain(body)) return false
    if (declares(body)) return true
  }
  const parts: readonly unknown[] = Array.isArray(body) ? body : Object.values(body)
  return parts.some((value) => typeof value === 'object' && declaresMinor(value, depth + 1))
}

/** Only plain objects are searched. A streamed body is a class instance whose fields lead to large parts of the process. */
function isPlain(thing: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(thing)
  return prototype === Object.prototype || prototype === null
}

/** The same check for a form field or URL parameter. All values are text; an object may be encoded as JSON. */
export function fieldDeclaresMinor(name: string, value: unknown): boolean {
  return (name === 'adult' && isNo(value)) || (name === 'age' && isUnderAge(value)) || declaresMinor(objectIn(value))
}

function objectIn(text: unknown): unknown {
  if (typeof text !== 'string' || !text.startsWith('{')) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * @returns whether a tag, label or classification of another system says that a picture shows a child. Knows the industry's classes A1 to B2 and
 *   the common words. Misses other words, so the operator and the owner of a list must also agree on what the list contains.
 */
export function tagDeclaresMinor(tag: string): boolean {
  return MINOR_CLASS.test(tag) || MINOR_WORDS.test(tag)
}

const MINOR_CLASS = /^\s*(?:class(?:ification)?[\s_:-]*)?[ab][12]\s*$/i
const MINOR_WORDS =
  /(?:^|[^a-z])(?:csam|csem|csea|csai|cei|cse|cp|pthc|child(?:ren)?|minors?|under_?age|infants?|toddlers?|teen|pre_?teen|prepubescent|pubescent)(?:[^a-z]|$)|child_?(?:abuse|sexual|porn|exploit)/i

function declares(thing: object): boolean {
  return ('adult' in thing && isNo(thing.adult)) || ('age' in thing && isUnderAge(thing.age))
}

function isNo(value: unknown): boolean {
  return value === false || (typeof value === 'string' && /^\s*(false|no|0)\s*$/i.test(value))
}

/** Text that starts with a number counts, such as `15 years`. */
function isUnderAge(value: unknown): boolean {
  const age = typeof value === 'number' ? value : typeof value === 'string' ? Number.parseFloat(value) : Number.NaN
  return age < ADULT_AGE_YEARS
}
