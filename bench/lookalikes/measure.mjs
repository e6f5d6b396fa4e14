// Registers each picture of a group alone, and queries all others.

import { DECIDERS, deciderOf, isTrue } from './decided.mjs'
import { hashed } from './service.mjs'

/** The grades, the surest first. `review` does not flag. */
const GRADES = ['exact', 'strong', 'near', 'review']

/**
 * @param wantsDetails with extended protection as well.
 * @returns counts of a group: `queries` and `pairs`; queries by the surest grade of their matches; `flagged`, those with a grade other than `review`;
 *   `flaggedPairs` by grade and by decider; `details`, the same with extended protection; `listed`, how many flagged pairs are still flagged after
 *   the first few posts are listed as harmless (pairs of these posts are not counted); and the recall of `copies`.
 */
export async function measureGroup(service, group, context, wantsDetails) {
  const { registered, asked = registered, copies = [] } = await group.draw(context)
  const [held, questions] = [
    await hashedAll(registered, 'register', wantsDetails),
    await hashedAll(asked, 'query', wantsDetails),
  ]
  const byHashes = emptyTally()
  const withDetails = wantsDetails ? emptyTally() : undefined
  let pairs = 0
  let knownHarmless = 0
  const listed = { before: 0, after: 0 }
  for (const picture of held.known) {
    const others = questions.known.filter((other) => isUnrelated(picture, other))
    pairs += others.length
    service.clear()
    if (service.isHarmless(picture.image)) {
      knownHarmless++
      continue
    }
    await service.register(picture.name, picture.image)
    const answers = await service.ask(
      others.map(({ image }) => image),
      'hashes',
    )
    const more = wantsDetails
      ? await service.ask(
          others.map(({ image }) => image),
          'auto',
        )
      : []
    for (const [i, other] of others.entries()) {
      note(byHashes, picture, other, answers[i])
      if (withDetails !== undefined) note(withDetails, picture, other, more[i])
    }
    if (context.listed > 0) await noteListed(others.filter((_, i) => answers[i].some(isFlag)))
  }

  async function noteListed(flagged) {
    for (const { image } of flagged.slice(0, context.listed)) service.list(image)
    const rest = flagged.slice(context.listed).map(({ image }) => image)
    const answers = rest.length === 0 ? [] : await service.ask(rest, 'hashes')
    listed.before += rest.length
    listed.after += answers.filter((matches) => matches.some(isFlag)).length
  }

  const counts = { queries: asked.length, registered: registered.length, pairs }
  return {
    ...counts,
    refused: { registered: held.refused, asked: questions.refused },
    ...(knownHarmless > 0 && { knownHarmless }),
    ...(context.listed > 0 && { listed }),
    ...summaryOf(byHashes),
    ...(withDetails !== undefined && { details: summaryOf(withDetails) }),
    ...(copies.length > 0 && { copies: await measureCopies(service, copies, wantsDetails) }),
  }
}

/** In both directions: registers the photograph and queries its copy, and the reverse. A refused picture counts as not found. */
async function measureCopies(service, copies, wantsDetails) {
  const found = { copyOfOriginal: 0, originalOfCopy: 0 }
  const foundWithDetails = { ...found }
  for (const { original, copy } of copies) {
    for (const [way, held, asked] of [
      ['copyOfOriginal', original, copy],
      ['originalOfCopy', copy, original],
    ]) {
      const [known, question] = [await hashed(held, 'register', wantsDetails), await hashed(asked, 'query', wantsDetails)]
      if (known.image === undefined || question.image === undefined) continue
      service.clear()
      await service.register('it', known.image)
      const isFoundBy = async (depth) =>
        (await service.ask([question.image], depth))[0].some(({ grade }) => grade !== 'review')
      found[way] += Number(await isFoundBy('hashes'))
      if (wantsDetails) foundWithDetails[way] += Number(await isFoundBy('auto'))
    }
  }
  return { number: copies.length, ...found, ...(wantsDetails && { details: foundWithDetails }) }
}

async function hashedAll(pictures, purpose, wantsDetails) {
  const known = []
  const refused = {}
  for (const { bytes, ...picture } of pictures) {
    const { image, refusal } = await hashed(bytes, purpose, wantsDetails)
    if (image === undefined) refused[refusal] = (refused[refusal] ?? 0) + 1
    else known.push({ ...picture, image })
  }
  return { known, refused }
}

const isFlag = ({ grade }) => grade !== 'review'

function isUnrelated(picture, other) {
  return other.name !== picture.name && (other.origin === undefined || other.origin !== picture.origin)
}

function emptyTally() {
  return { queries: new Map(), pairs: {}, by: {} }
}

function note({ queries, pairs, by }, picture, other, matches) {
  for (const match of matches) {
    const { grade } = match
    const [asked, registered] = [other.image.signals, picture.image.signals]
    if (!isTrue(match, asked, registered))
      throw new Error(
        `${other.name} and ${picture.name}: no two hashes are ${match.distanceBits} bits of ${match.signalType} apart`,
      )
    const known = queries.get(other.name)
    if (known === undefined || GRADES.indexOf(grade) < GRADES.indexOf(known)) queries.set(other.name, grade)
    pairs[grade] = (pairs[grade] ?? 0) + 1
    if (grade === 'review') continue
    const decider = deciderOf(match, asked, registered)
    by[decider] = (by[decider] ?? 0) + 1
  }
}

function summaryOf({ queries, pairs, by }) {
  const ofGrade = (grade) => [...queries.values()].filter((best) => best === grade).length
  const grades = Object.fromEntries(GRADES.map((grade) => [grade, ofGrade(grade)]))
  const flagged = grades.exact + grades.strong + grades.near
  return {
    flagged,
    ...grades,
    flaggedPairs: pairs,
    by: Object.fromEntries(DECIDERS.filter((name) => name in by).map((name) => [name, by[name]])),
  }
}
