// Recall of the seventy edits, with all photographs in one registry: shows what a rule against false matches costs.

import { progress } from '../report.mjs'
import { openEdits } from '../robustness/edits.mjs'
import { groupsOf } from '../robustness/tally.mjs'
import { hashed } from './service.mjs'

/**
 * @param photos to edit. An edit that shows several photographs takes the next ones.
 * @returns `groups` of edits, in percent by hashes and with details, and `foreign`: matches of photographs that an edit does not show.
 */
export async function measureRecall(service, photos, { seed, cache, wantsDetails, isStopped }) {
  const edits = await openEdits({ seed, cache })
  service.clear()
  for (const { name, read } of photos) {
    const { image } = await hashed(await read(), 'register', wantsDetails)
    if (image !== undefined) await service.register(name, image)
  }
  const counts = new Map(
    edits.catalogue.map(({ id, group }) => [id, { id, group, isOwn: true, queries: 0, hashes: 0, details: 0 }]),
  )
  let foreign = 0
  const draw = progress('edits', photos.length)
  for (const [i, photo] of photos.entries()) {
    if (isStopped()) break
    for await (const { id, usesOthers, bytes } of edits.of(await asEdited(photo, photos, i))) {
      const count = counts.get(id)
      count.queries++
      const { image } = await hashed(bytes, 'query', wantsDetails)
      if (image === undefined) continue
      const [byHashes] = await service.ask([image], 'hashes')
      const [withDetails] = wantsDetails ? await service.ask([image], 'auto') : [byHashes]
      const isFoundIn = (matches) => matches.some(({ name, grade }) => name === photo.name && grade !== 'review')
      count.hashes += Number(isFoundIn(byHashes))
      count.details += Number(isFoundIn(withDetails))
      if (!usesOthers) foreign += withDetails.filter(({ name, grade }) => name !== photo.name && grade !== 'review').length
    }
    draw(i + 1)
  }
  const asked = [...counts.values()].filter(({ queries }) => queries > 0)
  return {
    photos: photos.length,
    edits: asked.length,
    foreign,
    groups: Object.fromEntries(groupsOf(asked.map(withPercent)).map(summary)),
  }

  function withPercent({ hashes, details, ...edit }) {
    const percent = (found) => (100 * found) / edit.queries
    return { ...edit, percent: { hashes: percent(hashes), ...(wantsDetails && { details: percent(details) }) } }
  }
}

/** A photograph as `openEdits` takes it: files, with other photographs beside it. */
async function asEdited({ name, read }, photos, i) {
  const bytes = await read()
  const beside = [1, 2, 3, 4].map((step) => photos[(i + step) % photos.length]).filter((other) => other.name !== name)
  const files = new Map(await Promise.all(beside.map(async (other) => [other.name, await other.read()])))
  return { name, stem: name, others: [...files.keys()], read: () => bytes, readOther: (other) => files.get(other) }
}

function summary({ name, queries, percent }) {
  return [
    name,
    { queries, ...Object.fromEntries(Object.entries(percent).map(([key, value]) => [key, Math.round(value * 100) / 100])) },
  ]
}

/** @returns the largest loss of any group of edits or any mask since `before`, in points; 0 if there is none. */
export function recallLost(now, before) {
  const rates = (figures) => new Map([...editRates(figures), ...copyRates(figures)])
  const earlier = rates(before)
  const lost = [...rates(now)].map(([key, percent]) => (earlier.get(key) ?? percent) - percent)
  return Math.round(100 * Math.max(0, ...lost)) / 100
}

function editRates({ recall }) {
  return Object.entries(recall?.groups ?? {}).flatMap(([name, { hashes, details }]) => [
    [`edits ${name}`, hashes],
    ...(details === undefined ? [] : [[`edits ${name} details`, details]]),
  ])
}

function copyRates({ groups }) {
  return Object.entries(groups).flatMap(([name, { copies }]) => {
    if (copies === undefined) return []
    const { number, details = {}, copyOfOriginal, originalOfCopy } = copies
    const found = Object.entries({ copyOfOriginal, originalOfCopy }).map(([way, n]) => [
      `${name} ${way}`,
      (100 * n) / number,
    ])
    return [...found, ...Object.entries(details).map(([way, n]) => [`${name} ${way} details`, (100 * n) / number])]
  })
}
