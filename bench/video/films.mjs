// Hashes films and edits, and measures what decoding and hashing cost.

import { distance } from '../../dist/packages/hash/src/hash256.js'
import { loadImageHasherSync } from '../../dist/packages/hash/src/image-hasher.js'
import { createVideoHasher } from '../../dist/packages/hash/src/video-frames.js'
import { SIGNAL_TYPES } from '../../dist/src/domain/matching/signal-types.js'
import { timed } from './costs.mjs'
import { eachFrame } from './frames.mjs'
import { vpdqOf } from './vpdq.mjs'

const hasher = loadImageHasherSync()

const MOVING_MS = 1000
const MOVING_BITS = 24

/**
 * Decodes a film once, and hashes it for registration and as a query.
 * @param clip from clips.mjs
 * @returns `registered` and `asked`, as `createVideoHasher` gives them, and the `costs` of both; `vpdq`, hashes; and `isMoving`.
 */
export async function hashedFilm(clip) {
  const [registering, asking] = [createVideoHasher(hasher, 'register'), createVideoHasher(hasher, 'query')]
  const costs = { registered: {}, asked: {} }
  const vpdq = []
  const { durationMs, cpuMs } = await eachFrame(clip.file, clip, (frame) => {
    const { atMs, pixels, aspect } = frame
    timed(costs.registered, 'hashMs', () => registering.add(atMs, pixels, aspect))
    timed(costs.asked, 'hashMs', () => asking.add(atMs, pixels, aspect))
    vpdq.push(...vpdqOf(frame).map((hash) => ({ atMs, hash })))
  })
  for (const one of Object.values(costs)) Object.assign(one, { minutes: durationMs / 60_000, decodeMs: cpuMs })
  const [registered, asked] = [registering.result(durationMs), asking.result(durationMs)]
  return { registered, asked, costs, vpdq: vpdq.map(({ hash }) => hash), isMoving: isMoving(vpdq) }
}

/** @returns `asked`, as `createVideoHasher` gives it; its `costs`; and `vpdq`, hashes. */
export async function hashedVideo(file) {
  const asking = createVideoHasher(hasher, 'query')
  const [costs, vpdq] = [{}, []]
  const { durationMs, cpuMs } = await eachFrame(file, undefined, (frame) => {
    const { atMs, pixels, aspect } = frame
    timed(costs, 'hashMs', () => asking.add(atMs, pixels, aspect))
    vpdq.push(...vpdqOf(frame))
  })
  return { asked: asking.result(durationMs), vpdq, costs: { ...costs, minutes: durationMs / 60_000, decodeMs: cpuMs } }
}

/** As `hashedVideo`, for a picture: `asked` has one frame, or none if its quality is too low for a query. */
export async function hashedStill(file) {
  const [frames, vpdq] = [[], []]
  await eachFrame(file, undefined, (frame) => {
    if (frame.atMs > 0) return
    const { quality, signals, isForm } = hasher.hash(frame.pixels, 'query', frame.aspect)
    if (quality >= SIGNAL_TYPES.pdq.minAskedQuality) frames.push({ atMs: 0, signals, isForm })
    vpdq.push(...vpdqOf(frame))
  })
  return { asked: { durationMs: 0, frames }, vpdq, costs: {} }
}

/** Whether most frames differ from those a second later. Otherwise no answer can tell the moment. */
function isMoving(hashes) {
  const steps = hashes
    .slice(1)
    .map(({ atMs, hash }, i) => ({ stepMs: atMs - hashes[i].atMs, bits: distance(hash, hashes[i].hash) }))
  const seconds = steps.filter(({ stepMs }) => stepMs === MOVING_MS)
  return seconds.filter(({ bits }) => bits >= MOVING_BITS).length > seconds.length / 2
}
