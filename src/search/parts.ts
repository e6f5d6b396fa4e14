// The parts of an index from old to new, and their upkeep: when a head is full, what is compacted, and when.

import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { HASH_BYTES } from '../../packages/hash/src/hash256.js'
import { compacted, MAX_SEGMENT_ROWS, nextRun } from './compaction.js'
import { HEAD_ROWS, Head } from './head.js'
import type { Part } from './part.js'
import { RAW_ROWS, Raw } from './raw.js'
import type { RowColumns } from './row-block.js'
import type { Shape } from './shape.js'

interface Compacting {
  readonly from: number
  readonly sources: readonly Part[]
  readonly work: Generator<number, Part | undefined, void>
  deadRows: number
}

export class Parts {
  // Invariant: every row is in exactly one part; parts are ordered from old to new rows, and the head has the newest. Parts
  // are only ever added at the end while others are compacted, so the sources of compacting lie where they lay.
  readonly #frozen: Part[] = []
  #head: Head | undefined
  #compacting: Compacting | undefined
  // Nothing was found to compact, and nothing has changed since that could change this.
  #isTidy = true
  // Steps that were asked for and are not done yet; negative when more were done, because work pauses only now and then.
  #due = 0

  readonly #isLive: (image: number) => boolean
  readonly #shapeFor: ((rows: number) => Shape) | undefined

  /**
   * @param isLive which images have rows that are to be kept.
   * @param shapeFor as of `compacted`.
   */
  constructor(isLive: (image: number) => boolean, shapeFor?: (rows: number) => Shape) {
    this.#isLive = isLive
    this.#shapeFor = shapeFor
  }

  /** A list of its own: parts that become one later stay in it as they were. */
  all(): readonly Part[] {
    return this.#head === undefined ? [...this.#frozen] : [...this.#frozen, this.#head]
  }

  append(image: number, view: number, hash: Hash256): void {
    this.#head ??= new Head(HEAD_ROWS, 'open')
    this.#head.append(image, view, hash)
    if (this.#head.block.rows === HEAD_ROWS) this.#freezeHead()
  }

  /** The columns are equally long. */
  load({ images, views, hashes }: RowColumns): void {
    this.#freezeHead()
    for (let from = 0; from < images.length; ) {
      const { block } = this.#openRaw()
      const to = Math.min(images.length, from + RAW_ROWS - block.rows)
      block.appendColumns({
        images: images.subarray(from, to),
        views: views.subarray(from, to),
        hashes: hashes.subarray(from * HASH_BYTES, to * HASH_BYTES),
      })
      from = to
    }
    this.#isTidy = false
  }

  /** Adds a part that somebody else has made. */
  add(part: Part): void {
    this.#freezeHead()
    this.#frozen.push(part)
    this.#isTidy = false
  }

  /** Takes note that an image with so many rows is not live any more. */
  noteRemoved(image: number, rows: number): void {
    for (const part of this.all()) if (part.block.mayHold(image)) part.deadRows += rows
    const compacting = this.#compacting
    if (compacting?.sources.some(({ block }) => block.mayHold(image)) === true) compacting.deadRows += rows
    this.#isTidy = false
  }

  /** Lets the head's rows be compacted. */
  #freezeHead(): void {
    if (this.#head === undefined) return
    this.#frozen.push(this.#head)
    this.#head = undefined
    this.#isTidy = false
  }

  /**
   * Does so many steps of compacting (see `compacted`), beginning what is due. Work pauses after some thousand steps; what is done
   * beyond those that were asked for, following calls do less. Else each of a thousand small changes would do a whole piece of it.
   * @param minDeadShare see `nextRun`.
   * @returns whether anything remains to be done.
   */
  compact(steps: number, minDeadShare: number): boolean {
    this.#due += steps
    while (this.#due > 0 && !this.#isTidy) {
      this.#compacting ??= this.#begin(minDeadShare)
      const step = this.#compacting?.work.next()
      if (this.#compacting === undefined || step === undefined) this.#isTidy = true
      else if (step.done === true) this.#finish(this.#compacting, step.value)
      else this.#due -= step.value
    }
    if (this.#isTidy) this.#due = 0
    return !this.#isTidy
  }

  /** The same for any dead row at all, one in the head too. */
  compactAll(steps: number): boolean {
    if (this.#head !== undefined && this.#head.deadRows > 0) this.#freezeHead()
    this.#isTidy = false
    return this.compact(steps, 0)
  }

  #openRaw(): Part {
    const last = this.#frozen.at(-1)
    if (last?.kind === 'raw' && last.block.rows < RAW_ROWS && this.#compacting?.sources.includes(last) !== true) return last
    const raw = new Raw()
    this.#frozen.push(raw)
    return raw
  }

  #begin(minDeadShare: number): Compacting | undefined {
    const sizes = this.#frozen.map(({ block: { rows }, deadRows, isSettled }) => ({ rows, deadRows, isSettled }))
    const run = nextRun(sizes, MAX_SEGMENT_ROWS, minDeadShare)
    if (run === undefined) return undefined
    const sources = this.#frozen.slice(run.from, run.to)
    const work = compacted(
      sources.map(({ block }) => block),
      this.#isLive,
      this.#shapeFor,
    )
    return { from: run.from, sources, work, deadRows: 0 }
  }

  #finish({ from, sources, deadRows }: Compacting, part: Part | undefined): void {
    if (part !== undefined) part.deadRows = deadRows
    this.#frozen.splice(from, sources.length, ...(part === undefined ? [] : [part]))
    this.#compacting = undefined
  }
}
