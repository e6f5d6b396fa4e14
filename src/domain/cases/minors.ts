// Does somebody declare a person under 18? Asked wherever pictures or hashes are handed in, of bodies, lines, fields and tags.

import { ADULT_AGE_YEARS } from './hotlines.js'

/** Deeper than any body that is read here: lists of pictures with lists of signals, and what systems write beside them. */
const DEEPEST = 8

/** Does a body as JSON gives it, or anything in it, declare a person under 18? Cost: two look-ups for each object in it. */
export function declaresMinor(body: unknown, depth = 0): boolean {
  if (typeof body !== 'object' || body === null || depth > DEEPEST) return false
  if (!Array.isArray(body)) {
    if (!isPlain(body)) return false
    if (declares(body)) return true
  }
  const parts: readonly unknown[] = Array.isArray(body) ? body : Object.values(body)
  return parts.some((value) => typeof value === 'object' && declaresMinor(value, depth + 1))
}

/** Bodies that are read as they arrive are streams, which hold half the process. */
function isPlain(thing: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(thing)
  return prototype === Object.prototype || prototype === null
}

/** The same of one field of a form, or of one parameter of an address, where everything is text, an object written as JSON too. */
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
 * Does a tag, label or classification of another system say that a picture shows a child? The industry's classes A1 to B2, and the
 * words that are in use. A tag that says so in other words passes: what a list is about is settled when it is agreed on.
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

/** Text that begins with a number counts: `15 years` is an answer too. */
function isUnderAge(value: unknown): boolean {
  const age = typeof value === 'number' ? value : typeof value === 'string' ? Number.parseFloat(value) : Number.NaN
  return age < ADULT_AGE_YEARS
}
