// Hashes films and edits, and measures what decoding and hashing cost.

import { SIGNAL_TYPES } from '../../dist/packages/core/src/matching/signal-types.js'
import { distance } from '../../dist/packages/hash/src/hash256.js'
import { loadImageHasherSync } from '../../dist/packages/hash/src/image-hasher.js'
import { createVideoHasher, FRAME_INTERVAL_MS, REGISTERED_INTERVAL_MS } from '../../dist/packages/hash/src/video-frames.js'
import { timed } from './costs.mjs'
import { eachFrame } from './frames.mjs'
import { vpdqOf } from './vpdq.mjs'

const hasher = loadImageHasherSync()

const MOVING_MS = 1000
const MOVING_BITS = 24

/**
 * Decodes a film as a query, and again for registration.
 * @param clip from clips.mjs
 * @returns `registered` and `asked`, as `createVideoHasher` gives them, and the `costs` of both; `vpdq`, hashes; and `isMoving`.
 */
export async function hashedFilm(clip) {
  const { asked, vpdq, costs: costsOfAsked } = await askedVideo(clip.file, clip)
  const { registered, costs } = await registeredFilm(clip, asked.durationMs)
  const hashes = vpdq.map(({ hash }) => hash)
  return { registered, asked, costs: { registered: costs, asked: costsOfAsked }, vpdq: hashes, isMoving: isMoving(vpdq) }
}

/** Registers eight frames a second, as workers do. The duration is that of the query, so that both costs are for the same minutes. */
async function registeredFilm(clip, durationMs) {
  const registering = createVideoHasher(hasher, 'register')
  const costs = {}
  let between
  const take = ({ atMs, pixels, aspect }) => {
    if (atMs % FRAME_INTERVAL_MS !== 0) {
      between = { ...pixels, data: new Uint8Array(pixels.data) }
      return
    }
    registering.add(atMs, pixels, aspect)
    if (registering.betweenMs !== undefined) registering.addBetween(between, aspect)
  }
  const { cpuMs } = await eachFrame(
    clip.file,
    clip,
    (frame) => timed(costs, 'hashMs', () => take(frame)),
    REGISTERED_INTERVAL_MS,
  )
  return { registered: registering.result(durationMs), costs: { ...costs, minutes: durationMs / 60_000, decodeMs: cpuMs } }
}

/** @returns `asked`, as `createVideoHasher` gives it; its `costs`; and `vpdq`, hashes. */
export async function hashedVideo(file) {
  const { vpdq, ...hashed } = await askedVideo(file, undefined)
  return { ...hashed, vpdq: vpdq.map(({ hash }) => hash) }
}

async function askedVideo(file, size) {
  const asking = createVideoHasher(hasher, 'query')
  const [costs, vpdq] = [{}, []]
  const { durationMs, cpuMs } = await eachFrame(file, size, (frame) => {
    const { atMs, pixels, aspect } = frame
    timed(costs, 'hashMs', () => asking.add(atMs, pixels, aspect))
    vpdq.push(...vpdqOf(frame).map((hash) => ({ atMs, hash })))
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
