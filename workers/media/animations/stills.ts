// Turns an animation into still pictures, as viewers show its frames. Each then goes through the same decoder as any other picture.

import sharp from 'sharp'
import { MAX_CHOSEN_FRAMES } from '../../../packages/hash/src/file-frames.js'
import { MAX_PIXELS, MAX_SIDE_PX } from '../../../packages/hash/src/pixels.js'
import { type AnimationLength, type LookedFrame, lengthOf } from '../../../packages/hash/src/video/animation-frames.js'
import { type Animation, type DrawingPlan, planOf, startsOf } from '../../../src/domain/media/animations/animation.js'
import { avifAnimation, chosenSamples } from '../../../src/domain/media/animations/avif.js'
import { NO_LOOKS } from '../../../src/domain/media/animations/looks.js'
import type { MediaFormat } from '../../../src/domain/media/media-formats.js'
import { Problem } from '../../../src/domain/problem.js'
import type { Frame, FrameLimits } from '../decoder.js'
import { ranOutOfMemory } from '../out-of-memory.js'
import { createCanvas, isOpaque, type Rgba } from './canvas.js'
import { type Drawable, drawableOf } from './drawable.js'
import { PNG_SIGNATURE } from './frame-pixels.js'
import { createHalfway } from './halfway.js'
import { createScenes, type Scenes } from './scenes.js'
import { asBrowsersShow, stillAvif } from './still-avif.js'

/** A file with one picture. */
export interface Still extends Pick<Frame, 'moment' | 'shownMs'> {
  readonly bytes: Buffer
  readonly format: MediaFormat
}

/**
 * Yields the moments of an animation, if they are wanted; then the pictures that represent it, the one shown longest first; or the file itself if it
 * is not an animation, or no frame of it can be decoded. A picture that was made here is overwritten when the next one is requested.
 * @throws {Problem} `image-too-many-pixels`, `hashing-unavailable`
 */
export async function* stillsOf(bytes: Buffer, format: MediaFormat, limits: FrameLimits): AsyncIterable<Still> {
  const max = limits.maxFrames === 1 ? 1 : MAX_CHOSEN_FRAMES
  if (format === 'avif') return yield* avifStills(bytes, limits, max)
  const drawable = drawableOf(bytes, format, limits.purpose === 'query')
  let made = 0
  if (drawable !== undefined) {
    for await (const still of drawnStills(bytes, drawable, limits, max)) {
      if (still.moment === undefined) made++
      yield still
    }
  }
  if (made > 0 && drawable?.mayShowDefault !== true) return
  yield { bytes, format, ...(made === 0 && drawable !== undefined && { shownMs: lengthIn(drawable.animation).lengthMs }) }
}

function lengthIn({ frames }: Animation, looked: readonly LookedFrame[] = []): AnimationLength {
  return lengthOf(
    frames.map(({ durationMs }) => durationMs),
    looked,
  )
}

/** Draws the animation first and yields its moments, then its scenes. All scenes are in memory until the last one was used. */
async function* drawnStills(bytes: Buffer, drawable: Drawable, limits: FrameLimits, max: number): AsyncIterable<Still> {
  const { width, height } = drawable.animation
  if (width * height > MAX_PIXELS || Math.max(width, height) > MAX_SIDE_PX) throw new Problem('image-too-many-pixels')
  const plan = planOf(drawable.animation, drawable.cost, bytes.length, max)
  const scenes = createScenes(bytes, { width, height })
  try {
    yield* drawAll(drawable, plan, scenes, limits)
    for (const scene of scenes.best(plan.chosen).slice(0, max)) yield* stillOf(scene, drawable, { shownMs: scene.shownMs })
  } catch (error) {
    throw ranOutOfMemory(error) ? new Problem('hashing-unavailable') : error
  } finally {
    scenes.wipe()
  }
}

/**
 * Draws the planned frames, adds the canvas to the scenes after each, and yields moments. A frame that cannot be decoded is left out. Then later frames
 * that are drawn on top of it lack a part, so they are used for queries only.
 */
async function* drawAll(
  drawable: Drawable,
  { chosen, drawn, looks }: DrawingPlan,
  scenes: Scenes,
  limits: FrameLimits,
): AsyncIterable<Still> {
  const { moments, purpose } = limits
  const { animation, pixelsOf } = drawable
  const { looked, further } = moments === undefined ? NO_LOOKS : looks
  const ofScenes = new Set(drawn)
  const lookedAt = new Map(looked.map((each) => [each.index, each]))
  const halfway = createHalfway(looked, animation)
  const starts = startsOf(animation)
  const canvas = createCanvas(animation.width, animation.height)
  let [last, isDamaged] = [-1, false]
  if (limits.maxFrames !== 1) moments?.begin(lengthIn(animation, looked))
  try {
    for (const index of [...ofScenes, ...further].sort((a, b) => a - b)) {
      const frame = animation.frames[index]
      if (frame === undefined) continue
      if (last !== index - 1) canvas.clear() // this frame depends on none of those left out
      if (starts[index] === index) isDamaged = false
      last = index
      const pixels = await Promise.resolve(pixelsOf(index)).catch((error) => {
        if (ranOutOfMemory(error)) throw error
      })
      if (pixels !== undefined) canvas.draw(frame, pixels)
      pixels?.data.fill(0)
      if (pixels === undefined || pixels.isDamaged) {
        isDamaged = true
        scenes.protect()
      }
      if (pixels === undefined || (purpose === 'register' && isDamaged)) continue
      if (ofScenes.has(index)) scenes.add(index, canvas, frame.durationMs, chosen.includes(index))
      const moment = lookedAt.get(index)
      if (moment !== undefined) {
        yield* stillOf(canvas, drawable, { moment: moment.timesMs })
        const before = moments?.wantsHalfway() ? halfway.take(moment.between) : undefined
        if (before !== undefined) yield* stillOf(before, drawable, { moment: 'halfway' })
      }
      halfway.keep(index, canvas)
    }
  } finally {
    canvas.clear()
    halfway.wipe()
  }
}

/** @returns a PNG of the picture, which is overwritten when the next one is requested. */
async function* stillOf(picture: Rgba, { chunks }: Drawable, when: Pick<Still, 'moment' | 'shownMs'>): AsyncIterable<Still> {
  const still = await pngOf(picture, chunks)
  try {
    yield { bytes: still, format: 'png', ...when }
  } finally {
    still.fill(0)
  }
}

const HEADER_END = PNG_SIGNATURE.length + 25

/** @returns a PNG of the picture, with these chunks after its header. The caller overwrites it. */
async function pngOf({ data, width, height }: Rgba, chunks: readonly Buffer[]): Promise<Buffer> {
  const picture = sharp(data, { raw: { width, height, channels: 4 }, limitInputPixels: MAX_PIXELS })
  const file = await (isOpaque(data) ? picture.removeAlpha() : picture).png({ compressionLevel: 0 }).toBuffer()
  if (chunks.length === 0) return file
  const marked = Buffer.concat([file.subarray(0, HEADER_END), ...chunks, file.subarray(HEADER_END)])
  file.fill(0)
  return marked
}

async function* avifStills(bytes: Buffer, limits: FrameLimits, max: number): AsyncIterable<Still> {
  const { moments } = limits
  const animation = sequenceIn(bytes)
  const { chosen, looks } =
    animation === undefined ? { chosen: [], looks: NO_LOOKS } : chosenSamples(animation, bytes.length, max)
  const { looked } = moments === undefined ? NO_LOOKS : looks
  if (animation !== undefined && limits.maxFrames !== 1) moments?.begin(lengthIn(animation, looked))
  async function* sample(index: number, when: Pick<Still, 'moment' | 'shownMs'>): AsyncIterable<Still> {
    const still = animation === undefined ? bytes : stillAvif(bytes, animation, index)
    try {
      yield { bytes: still, format: 'avif', ...when }
    } finally {
      still.fill(0)
    }
  }
  for (const { index, timesMs, between } of looked) {
    yield* sample(index, { moment: timesMs })
    if (between !== undefined && moments?.wantsHalfway()) yield* sample(between, { moment: 'halfway' })
  }
  for (const index of chosen) yield* sample(index, { shownMs: animation?.frames[index]?.durationMs ?? 0 })
  if (chosen.length > 0) return
  const still = asBrowsersShow(bytes)
  try {
    yield { bytes: still, format: 'avif', ...(animation !== undefined && { shownMs: lengthIn(animation).lengthMs }) }
  } finally {
    if (still !== bytes) still.fill(0)
  }
}

function sequenceIn(bytes: Buffer) {
  try {
    return avifAnimation(bytes)
  } catch {
    return undefined // the boxes are damaged; then the still picture decides
  }
}
