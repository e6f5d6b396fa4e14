// Counts films found, films found falsely, and answers with the right moment.

import { cameraOf } from './clips.mjs'

/** Maximum error of the moment in an answer. */
const MOMENT_MS = 1000

/** The films that a query shows: its own, and others beside it. */
export class Tally {
  #films
  #edits = new Map()
  #moments = { right: 0, all: 0 }

  queries = 0
  strangerPairs = 0
  sameCameraPairs = 0
  sameCameraFalse = 0
  /** The number of unrelated films found, by method. */
  falseVideos = {}
  /** `{ name, id, found }`: unrelated films that were found. */
  falsePairs = []

  /** Films that were not found by their edits, by edit. */
  missed = new Map()

  /**
   * @param films names of all registered films.
   * @param edits in the order of the report; others follow.
   */
  constructor(films, edits = []) {
    this.#films = films
    for (const id of edits) this.#edits.set(id, { queries: 0, found: {} })
  }

  /**
   * @param query `{ name, id, beside }`: the film; the edit, absent for the unchanged film; names of other films that it shows.
   * @param found names of films, by method; `tabir` is the method that is judged.
   */
  add({ name, id, beside }, found) {
    this.queries++
    const relation = this.#relationTo(name, beside)
    for (const film of this.#films) {
      if (relation(film) === 'stranger') this.strangerPairs++
      if (relation(film) === 'same camera') this.sameCameraPairs++
    }
    this.sameCameraFalse += found.tabir.filter((film) => relation(film) === 'same camera').length
    for (const [method, films] of Object.entries(found)) {
      const strangers = films.filter((film) => relation(film) === 'stranger')
      this.falseVideos[method] = (this.falseVideos[method] ?? 0) + strangers.length
      if (method === 'tabir') this.falsePairs.push(...strangers.map((film) => ({ name, id, found: film })))
    }
    if (id !== undefined) this.#count(id, name, found)
  }

  /** Films of the same camera as a film that is shown beside count neither way: they may show the same. */
  #relationTo(name, beside) {
    const cameras = new Set(beside.map(cameraOf).filter((camera) => camera !== undefined))
    return (film) => {
      if (film === name || beside.includes(film) || cameras.has(cameraOf(film))) return 'shown'
      return cameraOf(name) !== undefined && cameraOf(name) === cameraOf(film) ? 'same camera' : 'stranger'
    }
  }

  #count(id, name, found) {
    const edit = this.#edits.get(id) ?? { queries: 0, found: {} }
    this.#edits.set(id, edit)
    edit.queries++
    if (!found.tabir.includes(name)) this.missed.set(id, [...(this.missed.get(id) ?? []), name])
    for (const [method, films] of Object.entries(found))
      edit.found[method] = (edit.found[method] ?? 0) + Number(films.includes(name))
  }

  /** @param errorMs from `momentErrorMs`, for a film that moves. */
  addMoment(errorMs) {
    this.#moments.all++
    if (errorMs <= MOMENT_MS) this.#moments.right++
  }

  /** The number of answers with the right moment, and of all. */
  get moments() {
    return this.#moments
  }

  /** @returns for each edit, `queries` and the percentage that each method found. */
  recall() {
    return new Map(
      [...this.#edits]
        .filter(([, { queries }]) => queries > 0)
        .map(([id, { queries, found }]) => {
          const percent = Object.fromEntries(
            Object.entries(found).map(([method, number]) => [method, (100 * number) / queries]),
          )
          return [id, { queries, percent }]
        }),
    )
  }
}

/**
 * The error of an answer at the middle of its segment, in ms of the film.
 * @param segment `{ query: { fromMs, toMs }, registered: { fromMs, toMs } }`
 * @param shows of an edit (edits.mjs).
 */
export function momentErrorMs({ query, registered }, shows) {
  const truth = (truthAt(query.fromMs, shows) + truthAt(query.toMs, shows)) / 2
  return Math.abs((registered.fromMs + registered.toMs) / 2 - truth)
}

/** The moment of the film that an edit shows at a time, from the part nearest in time. */
function truthAt(ms, shows) {
  const far = ({ fromMs, toMs }) => Math.max(fromMs - ms, ms - toMs, 0)
  const { fromMs, atMs, speed } = shows.reduce((best, part) => (far(part) < far(best) ? part : best))
  return atMs + speed * (ms - fromMs)
}
