// Queries one picture after the other, and returns what a query costs the api and what is found.

import { percentile, progress } from '../report.mjs'
import { expected } from './oracle.mjs'

const WARM_UPS = 40

/**
 * @param foreign, known as `queriesOf` gives them: edits of unregistered photographs, and of registered ones.
 * @param checked how many questions are compared with the oracle.
 * @param every only one copy in so many is queried.
 */
export async function measured(registry, { foreign, known, paths, checked, every }) {
  const filling = registry.pictures - known.length
  const unknown = foreign.flatMap(({ asked }) => asked)
  const all = known.flatMap(({ name, asked }) => asked.map((query) => ({ name, ...query })))
  const copies = all.filter((_, i) => i % every === 0)
  for (let i = 0; i < WARM_UPS; i++) await registry.ask(unknown[i % unknown.length].image)
  const draw = progress('asking', unknown.length + copies.length)
  let asked = 0
  const timed = async (image) => {
    const start = process.cpuUsage()
    const matches = await registry.ask(image)
    const { user, system } = process.cpuUsage(start)
    draw(++asked)
    return { ms: (user + system) / 1000, matches: matches.filter(({ grade }) => grade !== 'review') }
  }
  const foreignMs = []
  let foreignMatches = 0
  for (const { image } of unknown) {
    const { ms, matches } = await timed(image)
    foreignMs.push(ms)
    foreignMatches += matches.length
  }
  const copyMs = []
  let found = 0
  for (const { name, image } of copies) {
    const { ms, matches } = await timed(image)
    copyMs.push(ms)
    found += matches.some((match) => match.name === name)
  }
  return {
    rows: registry.rows,
    pictures: registry.pictures,
    coreMsP50: percentile(foreignMs, 0.5),
    coreMsP99: percentile(foreignMs, 0.99),
    recall: (100 * found) / copies.length,
    bytesPerPicture: registry.bytesPerPicture,
    queries: foreignMs.length,
    needles: mean(unknown.map(({ image }) => needlesOf(image))),
    foreignMatches,
    copies: copies.length,
    copyMsP50: percentile(copyMs, 0.5),
    copyMsP99: percentile(copyMs, 0.99),
    ...(await compared(registry, { unknown, copies, known, paths, filling, checked })),
  }
}

/** Half of the checked questions are copies. An answer that the rules do not give is wrong, one that is missing is a miss. */
async function compared(registry, { unknown, copies, known, paths, filling, checked }) {
  const some = (all, count) => all.filter((_, i) => i % Math.ceil(all.length / Math.max(1, count)) === 0).slice(0, count)
  // A form has to be nearer than the rules of evidence say.
  const usual = (all) => all.filter(({ image }) => image.isForm !== true)
  const half = Math.floor(checked / 2)
  let [wrong, missed] = [0, 0]
  const questions = [...some(usual(unknown), checked - half), ...some(usual(copies), half)]
  for (const { image } of questions) {
    const given = (await registry.ask(image)).filter(({ grade }) => grade !== 'review')
    const { matches, names } = expected(image.signals, paths, filling, known)
    const told = given.flatMap(({ name }) => name ?? [])
    wrong += told.filter((name) => !names.includes(name)).length + Math.max(0, given.length - told.length - matches)
    missed += names.filter((name) => !told.includes(name)).length + Math.max(0, matches - (given.length - told.length))
  }
  return { checked: questions.length, wrong, missed }
}

export function needlesOf({ signals }) {
  return signals.reduce((sum, { hashes }) => sum + hashes.length, 0)
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}
