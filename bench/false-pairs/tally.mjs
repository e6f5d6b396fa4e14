// Counts pairs of unrelated pictures, and false matches among them, by the kinds of the two pictures.

import { isPair } from './rows.mjs'

const GRADES = ['exact', 'strong', 'near', 'review']
/** None was found: with a confidence of 95 % the rate is under this, divided by the number of pairs. */
const NONE_FOUND = 3

export function emptyTally() {
  return { queries: 0, refused: 0, plainQueries: 0, related: 0, wideQueries: 0, pairs: {}, found: [] }
}

/** @param pairs by kind, with how many registered pictures it makes a pair. */
export function counted(tally, { picture, isPlain, isWide, matches, pairs }) {
  tally.queries++
  if (isPlain) tally.plainQueries++
  if (isWide) tally.wideQueries++
  for (const [kind, number] of pairs) {
    add(tally.pairs, pairKind(picture.kind, kind), number)
    if (isWide) add(tally.pairs, `wide ${pairKind(picture.kind, kind)}`, number)
  }
  for (const { registered, grade, distanceBits, signalType, view, transform } of matches) {
    if (!isPair(picture, registered)) tally.related++
    else {
      const pair = {
        asked: picture.name,
        askedKind: picture.kind,
        registered: registered.name,
        registeredKind: registered.kind,
      }
      tally.found.push({ ...pair, isPlain, isWide, grade, distanceBits, signalType, view, transform })
    }
  }
}

export function sumOf(tallies) {
  const sum = emptyTally()
  for (const { pairs, found, ...counts } of tallies) {
    for (const [name, value] of Object.entries(counts)) add(sum, name, value)
    for (const [kind, number] of Object.entries(pairs)) add(sum.pairs, kind, number)
    sum.found.push(...found)
  }
  return sum
}

/** By kind of pair and in total: the number and rate of each grade, or an upper bound where none was found. */
export function ratesOf({ pairs, found, ...counts }) {
  const kinds = {}
  for (const kind of ['all', ...Object.keys(pairs).filter((name) => !name.startsWith('wide '))]) {
    const isOf = (one) => kind === 'all' || pairKind(one.askedKind, one.registeredKind) === kind
    const of = (prefix) =>
      kind === 'all'
        ? Object.entries(pairs).reduce((sum, [name, n]) => sum + (name.startsWith('wide ') === (prefix !== '') ? n : 0), 0)
        : (pairs[`${prefix}${kind}`] ?? 0)
    kinds[kind] = { pairs: of(''), widePairs: of('wide ') }
    for (const grade of GRADES) {
      const number = found.filter((one) => one.grade === grade && isOf(one)).length
      const among = grade === 'review' ? of('wide ') : of('')
      kinds[kind][grade] =
        number === 0
          ? `0, under ${(NONE_FOUND / among).toExponential(1)}`
          : `${number}, ${(number / among).toExponential(1)}`
    }
  }
  return { ...counts, kinds, found: found.filter(({ grade }) => grade !== 'review') }
}

/** Photographs, what apps and frames make of them, pages, rows of a file: and whether both are of one app or frame. */
function pairKind(asked, registered) {
  if (asked === registered && classOf(asked) === 'drawn') return 'drawn alike'
  return [classOf(asked), classOf(registered)].join(' ')
}

function classOf(kind) {
  return ['piece', 'rows'].includes(kind) ? kind : ['text', 'plain'].includes(kind) ? 'page' : 'drawn'
}

function add(counts, name, number) {
  counts[name] = (counts[name] ?? 0) + number
}
