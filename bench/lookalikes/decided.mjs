// Finds what decided a match by hashes: compares all hashes of the two pictures, without the matcher.

import { distance } from '../../dist/packages/hash/src/hash256.js'
import { contentOf, isDecided, orientationGroupsOf } from '../robustness/hasher.mjs'

export const DECIDERS = ['exact', 'whole', 'deframed', 'pieces', 'corroborations', 'details']

/** @returns one of `DECIDERS`, for a match of a queried picture with a registered one. */
export function deciderOf(match, asked, registered) {
  if (match.view === 'details') return 'details'
  if (match.grade === 'exact') return 'exact'
  let [decider, minBits] = ['corroborations', Number.POSITIVE_INFINITY]
  for (const { kind, bits } of comparisons(asked, registered)) {
    if (bits >= minBits || !isDecided(kind, bits, Number.POSITIVE_INFINITY)) continue
    minBits = bits
    decider = deciderOfViews(kind)
  }
  return decider
}

/** Whether the distance of the match is that of two hashes of its type and registered view. */
export function isTrue(match, asked, registered) {
  if (match.view === 'details') return true
  for (const { kind, bits } of comparisons(asked, registered))
    if (bits === match.distanceBits && kind.type === match.signalType && kind.registered === match.view) return true
  return false
}

function* comparisons(asked, registered) {
  for (const signal of asked) {
    const content = contentOf(signal)
    for (const { rotated, hashes } of orientationGroupsOf(signal)) {
      for (const { type, view, hashes: held } of registered) {
        if (type !== signal.type) continue
        const kind = { type, query: signal.view, registered: view, rotated, content }
        for (const hash of hashes) yield { kind, bits: distance(hash, held[0]) }
      }
    }
  }
}

function deciderOfViews({ query, registered }) {
  const views = [query, registered]
  if (views.includes('deframed')) return 'deframed'
  return views.every((view) => view === 'whole') ? 'whole' : 'pieces'
}
