// Counts of what was found, what was found falsely, and how well answers tell the moment.

import { cameraOf } from './clips.mjs'

/** How far an answer may be from the moment that is shown. */
const MOMENT_MS = 1000

/** What a query shows: the film it is of, and others beside it. */
export class Tally {
  #films
  #edits = new Map()
  #moments = { right: 0, all: 0 }

  queries = 0
  strangerPairs = 0
  sameCameraPairs = 0
  sameCameraFalse = 0
  /** By method, how many strangers were found. */
  falseVideos = {}
  /** `{ name, id, found }`: films that were found falsely, of strangers. */
  falsePairs = []

  /** By edit, films that it was made of and that were not found. */
  missed = new Map()

  /**
   * @param films names of all that are registered.
   * @param edits in the order in which they are told; others follow.
   */
  constructor(films, edits = []) {
    this.#films = films
    for (const id of edits) this.#edits.set(id, { queries: 0, found: {} })
  }

  /**
   * @param query `{ name, id, beside }`: the film, the edit, or no id for the film as it is; names of others that it shows.
   * @param found by method, the names of films; `tabir` is the one that decides.
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

  /** Nobody knows what else is in front of the cameras of films that are shown beside. */
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

  /** @param errorMs of `momentErrorMs`, for a film that moves. */
  addMoment(errorMs) {
    this.#moments.all++
    if (errorMs <= MOMENT_MS) this.#moments.right++
  }

  /** How many answers tell the right moment, and of how many. */
  get moments() {
    return this.#moments
  }

  /** @returns by edit, `queries` and the percentage that each method found. */
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
 * How far an answer is from the truth, in ms of the film, at the middle between its ends.
 * @param segment `{ query: { fromMs, toMs }, registered: { fromMs, toMs } }`
 * @param shows of an edit, see edits.mjs.
 */
export function momentErrorMs({ query, registered }, shows) {
  const truth = (truthAt(query.fromMs, shows) + truthAt(query.toMs, shows)) / 2
  return Math.abs((registered.fromMs + registered.toMs) / 2 - truth)
}

/** The moment of the film that an edit shows at a time, by the part that is nearest in time. */
function truthAt(ms, shows) {
  const far = ({ fromMs, toMs }) => Math.max(fromMs - ms, ms - toMs, 0)
  const { fromMs, atMs, speed } = shows.reduce((best, part) => (far(part) < far(best) ? part : best))
  return atMs + speed * (ms - fromMs)
}
