// Frames of a file as the hasher takes them: grey, a few a second, in the size in which pictures are hashed.

import { hashedSize } from '../../dist/packages/hash/src/reduced-side.js'
import { greyFrames } from './ffmpeg.mjs'

const FRAME = Buffer.from('FRAME')
const LINE_END = 10

/**
 * @param {{ framesPerSecond: number, seconds: number, size?: { width: number, height: number } }} how `size` where it may have more pixels than are hashed.
 * @returns `{ frames: Pixels[], aspect, cpuMs }`.
 */
export async function framesOf(file, { framesPerSecond, seconds, size }) {
  const hashed = size === undefined ? undefined : hashedSize(size)
  const isReduced = hashed !== undefined && (hashed.width !== size.width || hashed.height !== size.height)
  const filter = isReduced ? `,scale=${hashed.width}:${hashed.height}:flags=bilinear` : ''
  const { y4m, cpuMs } = await greyFrames(file, { framesPerSecond, seconds, filter })
  const { frames, width, height, sampleAspect } = readY4m(y4m)
  return { frames, aspect: isReduced ? size.width / size.height : (width / height) * sampleAspect, cpuMs }
}

/** @throws {Error} unless it is a stream of grey frames. */
export function readY4m(bytes) {
  const headerEnd = bytes.indexOf(LINE_END)
  const [signature, ...fields] = bytes.toString('latin1', 0, Math.max(0, headerEnd)).split(' ')
  const field = (letter) => fields.find((one) => one.startsWith(letter))?.slice(1)
  const [width, height] = [Number(field('W')), Number(field('H'))]
  if (signature !== 'YUV4MPEG2' || field('C') !== 'mono' || !(width > 0 && height > 0))
    throw new Error('these are not grey frames')
  const [across = 0, down = 0] = (field('A') ?? '').split(':').map(Number)
  const frames = []
  for (let at = headerEnd + 1; at < bytes.length; ) {
    const begin = bytes.indexOf(LINE_END, at) + 1
    const end = begin + width * height
    if (!bytes.subarray(at, at + FRAME.length).equals(FRAME) || begin === 0 || end > bytes.length)
      throw new Error('a frame is not whole')
    frames.push({ data: bytes.subarray(begin, end), width, height, channels: 1 })
    at = end
  }
  return { frames, width, height, sampleAspect: across > 0 && down > 0 ? across / down : 1 }
}
