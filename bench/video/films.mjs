// Registers films and asks about them and their edits, with what each step takes of the processor.

import { distance } from '../../dist/packages/hash/src/hash256.js'
import { loadImageHasherSync } from '../../dist/packages/hash/src/image-hasher.js'
import { createVideoHasher } from '../../dist/packages/hash/src/video-frames.js'
import { SIGNAL_TYPES } from '../../dist/src/domain/matching/signal-types.js'
import { eachFrame } from './frames.mjs'
import { vpdqOf } from './vpdq.mjs'

const hasher = loadImageHasherSync()

const MOVING_MS = 1000
const MOVING_BITS = 24

/** Adds up what the processor did for so many minutes of film. */
export class Meter {
  #cpuMs = { decode: 0, hash: 0, search: 0 }

  minutes = 0

  /** @returns what the work returns. */
  time(step, work) {
    const before = process.cpuUsage()
    const result = work()
    const { user, system } = process.cpuUsage(before)
    this.add(step, (user + system) / 1000)
    return result
  }

  add(step, cpuMs) {
    this.#cpuMs[step] += cpuMs
  }

  /** @returns for each step, seconds of processor for a minute of film. */
  perMinute() {
    return Object.fromEntries(
      Object.entries(this.#cpuMs).map(([step, ms]) => [step, ms / 1000 / Math.max(this.minutes, 1e-9)]),
    )
  }
}

/**
 * Decodes a film once, and hashes it to register it and to ask for it.
 * @param clip of clips.mjs
 * @param meters `register` and `query`, to which its costs are added
 * @returns `registered` and `asked`, as `createVideoHasher` gives them; `vpdq`, hashes; and `isMoving`.
 */
export async function hashedFilm(clip, meters) {
  const { register, query } = meters
  const [registering, asking] = [createVideoHasher(hasher, 'register'), createVideoHasher(hasher, 'query')]
  const vpdq = []
  const { durationMs, cpuMs } = await eachFrame(clip.file, clip, (frame) => {
    const { atMs, pixels, aspect } = frame
    register.time('hash', () => registering.add(atMs, pixels, aspect))
    query.time('hash', () => asking.add(atMs, pixels, aspect))
    vpdq.push(...vpdqOf(frame).map((hash) => ({ atMs, hash })))
  })
  for (const meter of [register, query]) {
    meter.add('decode', cpuMs)
    meter.minutes += durationMs / 60_000
  }
  return {
    registered: registering.result(durationMs),
    asked: asking.result(durationMs),
    vpdq: vpdq.map(({ hash }) => hash),
    isMoving: isMoving(vpdq),
  }
}

/** @returns `asked`, frames with their signals; `vpdq`, hashes. Of a still, one frame as a picture is asked about. */
export async function hashedEdit({ file, isStill }, meter) {
  const asking = createVideoHasher(hasher, 'query')
  const [vpdq, stills] = [[], []]
  const { durationMs, cpuMs } = await eachFrame(file, undefined, (frame) => {
    const { atMs, pixels, aspect } = frame
    if (!isStill) meter.time('hash', () => asking.add(atMs, pixels, aspect))
    else if (stills.length === 0) stills.push(hasher.hash(pixels, 'query', aspect))
    vpdq.push(...vpdqOf(frame))
  })
  if (isStill)
    return { asked: { durationMs: 0, frames: stills.filter(isAskable).map(({ signals }) => ({ atMs: 0, signals })) }, vpdq }
  meter.add('decode', cpuMs)
  meter.minutes += durationMs / 60_000
  return { asked: asking.result(durationMs), vpdq }
}

function isAskable({ quality }) {
  return quality >= SIGNAL_TYPES.pdq.minAskedQuality
}

/** Does it look different a second later, most of the time? Otherwise no answer can tell the moment. */
function isMoving(hashes) {
  const steps = hashes.slice(1).filter(({ atMs }, i) => atMs - hashes[i].atMs === MOVING_MS)
  const moved = steps.filter(({ atMs, hash }) => {
    const before = hashes.find((other) => other.atMs === atMs - MOVING_MS)
    return distance(hash, before.hash) >= MOVING_BITS
  })
  return moved.length > steps.length / 2
}
