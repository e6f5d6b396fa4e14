// Writes the figures as a table, as one line of JSON, and as CSV.

import { table } from '../search/table.mjs'

/** Recall of each edit and each group, beside the baselines. */
export function recallTable({ edits, groups, methods }) {
  const rows = groups.flatMap((group) => [
    ...edits.filter((edit) => edit.group === group.name).map((edit) => ({ name: edit.id, ...edit })),
    { ...group, name: `**${group.name}** (${group.edits} ${group.edits === 1 ? 'edit' : 'edits'})` },
  ])
  return table({
    edit: rows.map(({ name }) => name),
    queries: rows.map(({ queries }) => queries),
    ...columns(rows, methods),
  })
}

/** Numbers of photographs and queries, false matches, and cost. */
export function summary({
  split,
  photos,
  references,
  unreadable,
  tooPlain = 0,
  queries,
  methods,
  rowsPerImage,
  needlesPerQuery,
  stage,
  checked,
  ...times
}) {
  const { hashing, searching } = times
  const ms = ({ meanMs, p50Ms, cpuMs }) =>
    `${meanMs.toFixed(2)} ms mean, ${p50Ms.toFixed(2)} ms median, ${cpuMs.toFixed(2)} ms of processor time`
  return [
    `photographs: ${photos} (split: ${SPLIT_RULES[split]}), registered pictures: ${references}, queries: ${queries}`,
    unreadable > 0 ? `left out, not decodable: ${unreadable}` : [],
    tooPlain > 0 ? `left out, refused by the service as too plain: ${tooPlain}` : [],
    ...methods.flatMap(({ name, pairs, falsePairs }) => {
      if (pairs === undefined) return []
      return `${name}: ${falsePairs} false of ${pairs.toLocaleString('en')} pairs`
    }),
    `rows per image: ${rowsPerImage.toFixed(2)}, needles per query: ${needlesPerQuery.toFixed(2)}`,
    `hashing a decoded query: ${ms(hashing)}`,
    `searching for it: ${ms(searching)}`,
    stage === 'hash' || checked === undefined ? [] : detailLines(checked),
  ].flat()
}

function detailLines({ queries, lookedMs, searchedMs, ...checked }) {
  const { pairs, wrong, falseAccepts, falseAcceptsAsked, forced, forcedAccepts, forcedInliers } = checked
  const perQuery = (sumMs) => (sumMs / Math.max(1, queries)).toFixed(1)
  const number = (count) => count.toLocaleString('en')
  const most = forcedInliers.flatMap((count, inliers) => (count > 0 ? [`${inliers}: ${number(count)}`] : []))
  return [
    `queried by details: ${number(queries)} queries, ${number(pairs)} pairs; processor time ${perQuery(lookedMs)} ms to find the details, ${perQuery(searchedMs)} ms to search and verify`,
    `wrong candidates that passed the vote: ${number(wrong)}. Verification accepted ${falseAccepts}; ${falseAcceptsAsked} in queries that hashes had not answered`,
    `further wrong candidates verified: ${number(forced)}; accepted: ${forcedAccepts}; candidates by number of agreeing details: ${most.join(', ')}`,
  ]
}

const SPLIT_RULES = {
  all: 'none, all of them',
  tuning: 'tuning, FNV-1a of the file name divisible by 3',
  test: 'test, FNV-1a of the file name not divisible by 3',
}

export function jsonLine({ photos, queries, pairs, falsePairs, rowsPerImage, needlesPerQuery, ...rest }) {
  const { hashing, searching, groups, edits, checked } = rest
  return JSON.stringify({
    photos,
    queries,
    pairs,
    falsePairs: falsePairs.length,
    falseAccepts: checked.falseAccepts + checked.forcedAccepts,
    verified: checked.wrong + checked.forced,
    rowsPerImage: rounded(rowsPerImage),
    needlesPerQuery: rounded(needlesPerQuery),
    msPerQuery: rounded(hashing.meanMs + searching.meanMs),
    groups: Object.fromEntries(groups.map(({ name, percent }) => [name, rounded(percent.tabir)])),
    edits: Object.fromEntries(edits.map(({ id, percent }) => [id, rounded(percent.tabir)])),
  })
}

export function recallCsv({ edits, methods }) {
  const head = ['edit', 'group', 'queries', ...methods.map(({ key }) => key)]
  return csv([head, ...edits.map((edit) => [edit.id, edit.group, edit.queries, ...percents(edit, methods)])])
}

/** False pairs and recall over the threshold, one line for each pair of views and threshold. */
export function curveCsv({ distances, groups }) {
  const members = groups.filter(({ name }) => name !== 'all')
  const head = ['type', 'query_view', 'registered_view', 'threshold_bits', 'pairs', 'false_pairs', 'false_rate']
  const lines = [...distances.curve(members)].map(({ thresholdBits, pairs, falsePairs, found, ...kind }) => {
    const rate = pairs === 0 ? '' : (falsePairs / pairs).toExponential(2)
    const recalls = members.map(({ name, queries }) => rounded((100 * found[name]) / queries))
    return [...named(kind), thresholdBits, pairs, falsePairs, rate, ...recalls]
  })
  return csv([[...head, ...members.map(({ name }) => `recall_${name}`)], ...lines])
}

export function falsePairsCsv({ falsePairs, names }) {
  const lines = falsePairs.map(({ own, edit, image, togetherBits, nearest: { bits, ...kind } }) => {
    return [names[own], edit, names[image] ?? `rows of picture ${image}`, ...named(kind), bits, togetherBits]
  })
  return csv([['photo', 'edit', 'matched', 'type', 'query_view', 'registered_view', 'bits', 'together_bits'], ...lines])
}

function named({ type, query, registered, rotated }) {
  return [type, rotated ? `${query} turned` : query, registered]
}

function columns(rows, methods) {
  return Object.fromEntries(methods.map(({ key, name }) => [name, rows.map(({ percent }) => percent[key].toFixed(1))]))
}

function percents({ percent }, methods) {
  return methods.map(({ key }) => rounded(percent[key]))
}

function csv(lines) {
  return `${lines.map((cells) => cells.map(quoted).join(',')).join('\n')}\n`
}

function quoted(cell) {
  return /[",\n]/.test(String(cell)) ? `"${String(cell).replaceAll('"', '""')}"` : cell
}

function rounded(value) {
  return Math.round(value * 100) / 100
}
