// The parts of an index, oldest first. Decides when to freeze a full head and when to compact.

import type { Hash256 } from '../../../hash/src/hash256.js'
import { HASH_BYTES } from '../../../hash/src/hash256.js'
import type { Shape } from './band-shape.js'
import { compacted, MAX_SEGMENT_ROWS, nextRun } from './compaction.js'
import { HEAD_ROWS, Head } from './head.js'
import type { Part } from './part.js'
import { RAW_ROWS, Raw } from './raw.js'
import type { RowColumns } from './row-block.js'

interface Compacting {
  readonly from: number
  readonly sources: readonly Part[]
  readonly work: Generator<number, Part | undefined, void>
  deadRows: number
}

export class Parts {
  // Invariant: every row is in exactly one part. Parts are ordered from old to new rows, and the head has the newest. During a compaction parts are
  // only added at the end, so the indices of its sources stay valid.
  readonly #frozen: Part[] = []
  #head: Head | undefined
  #compacting: Compacting | undefined
  // There was nothing to compact, and no change since that could alter this.
  #isTidy = true
  // Steps requested but not done yet. Negative if more were done, because work can pause only at certain points.
  #due = 0

  readonly #isLive: (image: number) => boolean
  readonly #shapeFor: ((rows: number) => Shape) | undefined

  /**
   * @param isLive whether an image's rows are kept.
   * @param shapeFor as for `compacted`.
   */
  constructor(isLive: (image: number) => boolean, shapeFor?: (rows: number) => Shape) {
    this.#isLive = isLive
    this.#shapeFor = shapeFor
  }

  /** @returns a copy of the list. It keeps the old parts when they are merged later. */
  all(): readonly Part[] {
    return this.#head === undefined ? [...this.#frozen] : [...this.#frozen, this.#head]
  }

  append(image: number, view: number, hash: Hash256): void {
    this.#head ??= new Head(HEAD_ROWS, 'open')
    this.#head.append(image, view, hash)
    if (this.#head.block.rows === HEAD_ROWS) this.#freezeHead()
  }

  /** The columns must have equal length. */
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

  /** Adds a part made by the caller. */
  add(part: Part): void {
    this.#freezeHead()
    this.#frozen.push(part)
    this.#isTidy = false
  }

  /** Records that an image with this many rows is no longer live. */
  noteRemoved(image: number, rows: number): void {
    for (const part of this.all()) if (part.block.mayHold(image)) part.deadRows += rows
    const compacting = this.#compacting
    if (compacting?.sources.some(({ block }) => block.mayHold(image)) === true) compacting.deadRows += rows
    this.#isTidy = false
  }

  /** Makes the head available to compaction. */
  #freezeHead(): void {
    if (this.#head === undefined) return
    this.#frozen.push(this.#head)
    this.#head = undefined
    this.#isTidy = false
  }

  /**
   * Does this many steps of compaction (see `compacted`) and starts what is due. Work can pause only after some thousand steps. What was done
   * beyond the requested number is deducted from later calls. Otherwise each of a thousand small changes would do a whole piece of work.
   * @param minDeadShare see `nextRun`.
   * @returns whether work is left.
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

  /** The same, also for a single dead row, even in the head. */
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
