// Adds up the figures of the parts of a run.

import { readFileSync } from 'node:fs'
import { addTo, emptyChecked } from './checked.mjs'
import { groupsOf } from './tally.mjs'

/** What of a part is worth keeping: no names of photographs, and no curves, which are of one run. */
export function rawOf({ distances: _curves, images: _numbers, names: _names, ...kept }) {
  return kept
}

/** @returns figures as `measure` gives them, without curves. */
export function sumOf(files) {
  const parts = files.map((file) => JSON.parse(readFileSync(file, 'utf8')))
  const [first] = parts
  const total = (name) => parts.reduce((sum, part) => sum + part[name], 0)
  const checked = emptyChecked()
  for (const { checked: own } of parts) {
    const { forcedInliers, accepted, ...counts } = own
    addTo(checked, counts)
    checked.accepted.push(...accepted)
    for (const [inliers, number] of forcedInliers.entries())
      checked.forcedInliers[inliers] = (checked.forcedInliers[inliers] ?? 0) + (number ?? 0)
  }
  const edits = editsOf(parts)
  const queries = total('queries')
  const mean = (name, key) => parts.reduce((sum, part) => sum + part[name][key] * part.queries, 0) / queries
  const timesOf = (name) => ({ meanMs: mean(name, 'meanMs'), p50Ms: mean(name, 'p50Ms'), cpuMs: mean(name, 'cpuMs') })
  return {
    ...first,
    parts: parts.flatMap((part) => part.parts),
    queries,
    needles: total('needles'),
    pairs: total('pairs'),
    needlesPerQuery: total('needles') / queries,
    falsePairs: parts.flatMap(({ falsePairs }) => falsePairs),
    checked,
    edits,
    groups: groupsOf(edits),
    methods: first.methods.map((method, i) => ({
      ...method,
      ...(method.pairs !== undefined && { pairs: sumAt(parts, i, 'pairs'), falsePairs: sumAt(parts, i, 'falsePairs') }),
    })),
    hashing: timesOf('hashing'),
    searching: timesOf('searching'),
  }
}

function sumAt(parts, i, name) {
  return parts.reduce((sum, { methods }) => sum + methods[i][name], 0)
}

function editsOf(parts) {
  const byId = new Map()
  for (const { id, queries, percent, ...edit } of parts.flatMap((part) => part.edits)) {
    const known = byId.get(id) ?? { id, ...edit, queries: 0, percent: {} }
    for (const [key, own] of Object.entries(percent))
      known.percent[key] = ((known.percent[key] ?? 0) * known.queries + own * queries) / (known.queries + queries)
    known.queries += queries
    byId.set(id, known)
  }
  return [...byId.values()]
}
