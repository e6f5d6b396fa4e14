// What the browser asks for: a language, and a way of compressing.

export const ENCODINGS = ['br', 'gzip', 'identity'] as const
export type Encoding = (typeof ENCODINGS)[number]

/**
 * The language to answer in: the one chosen by hand, else the best of `Accept-Language`, else the first that there is.
 *
 * `zh-CN` and `zh` find `zh-Hans`, since half a language helps more than another one.
 *
 * @param available tags, the default first; at least one.
 * @param chosen from the address; anything that is not available counts as not chosen.
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

/** Beyond this a list is no browser's. */
const MAX_CHARS = 1000

/** The names of a weighted list, in lower case, the most wanted first, without those of weight 0. */
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

function primaryOf(tag: string): string | undefined {
  return tag.toLowerCase().split('-')[0]
}
