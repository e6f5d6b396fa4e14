// Content negotiation: language and compression.

import { ownValue } from '../../packages/core/src/own-value.js'

export const ENCODINGS = ['br', 'gzip', 'identity'] as const
export type Encoding = (typeof ENCODINGS)[number]

/**
 * Chooses the language: the one chosen by hand, else the best match of `Accept-Language`, else the first available. `zh-CN` and `zh` match
 * `zh-Hans`: a related language helps more than another one.
 * @param available tags, the default first; at least one
 * @param chosen from the URL; ignored if it is not available
 */
export function languageFor(available: readonly string[], chosen: unknown, header: string | undefined): string {
  const byHand = available.find((tag) => tag === chosen)
  if (byHand !== undefined) return byHand
  for (const wanted of byWeight(header)) {
    const found =
      available.find((tag) => tag.toLowerCase() === wanted) ?? available.find((tag) => primaryOf(tag) === primaryOf(wanted))
    if (found !== undefined) return found
  }
  const [first] = available
  if (first === undefined) throw new Error('there is no language')
  return first
}

export function encodingFor(header: string | undefined): Encoding {
  const accepted = byWeight(header)
  return ENCODINGS.find((encoding) => accepted.includes(encoding)) ?? 'identity'
}

/** No browser sends a longer list. */
const MAX_CHARS = 1000

/** @returns the names of a weighted list in lower case, highest weight first, without weight 0. */
function byWeight(header = ''): string[] {
  return header
    .slice(0, MAX_CHARS)
    .split(',')
    .map((entry) => {
      const [name = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase())
      const weight = parameters.find((parameter) => parameter.startsWith('q='))
      return { name, weight: weight === undefined ? 1 : Number(weight.slice(2)) }
    })
    .filter(({ name, weight }) => name !== '' && weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ name }) => name)
}

/** Tags that old devices still send. */
const OLD: Readonly<Record<string, string>> = { in: 'id', tl: 'fil' }

function primaryOf(tag: string): string {
  const [primary = ''] = tag.toLowerCase().split('-')
  return ownValue(OLD, primary) ?? primary
}
