// Frames of a file as the hasher takes them: grey, a few a second, in the size in which pictures are hashed.

import { hashedSize } from '../../dist/packages/hash/src/reduced-side.js'
import { FRAME_INTERVAL_MS } from '../../dist/packages/hash/src/video-frames.js'
import { MAX_CLIP_MS } from './clips.mjs'
import { greyFrames } from './ffmpeg.mjs'

const FRAMES_PER_SECOND = 1000 / FRAME_INTERVAL_MS
const FRAME = 'FRAME'
const LINE_END = 10
const MAX_HEADER_BYTES = 1024

/**
 * @param size of the displayed frames, where they may have more pixels than are hashed.
 * @param onFrame takes `{ atMs, pixels, aspect }`; the pixels are overwritten afterwards.
 * @returns `durationMs`, and how much processor the decoder took, `cpuMs`.
 */
export async function eachFrame(file, size, onFrame) {
  const hashed = size === undefined ? undefined : hashedSize(size)
  const isReduced = hashed !== undefined && (hashed.width !== size.width || hashed.height !== size.height)
  const filter = isReduced ? `,scale=${hashed.width}:${hashed.height}:flags=bilinear` : ''
  let frames = 0
  const reader = createY4mReader(({ pixels, sampleAspect }) => {
    const aspect = isReduced ? size.width / size.height : (pixels.width / pixels.height) * sampleAspect
    onFrame({ atMs: FRAME_INTERVAL_MS * frames++, pixels, aspect })
  })
  const how = { framesPerSecond: FRAMES_PER_SECOND, seconds: MAX_CLIP_MS / 1000, filter }
  const cpuMs = await greyFrames(file, how, reader.add)
  reader.end()
  return { durationMs: FRAME_INTERVAL_MS * frames, cpuMs }
}

/**
 * Reads a stream of grey frames.
 * @param onFrame takes `{ pixels, sampleAspect }` of each.
 * @returns `add` for its parts, `end` after the last; both throw if it is something else or a frame is not whole.
 */
export function createY4mReader(onFrame) {
  let rest = Buffer.alloc(0)
  let format
  const line = () => {
    const end = rest.indexOf(LINE_END)
    if (end < 0 && rest.length > MAX_HEADER_BYTES) throw new Error('these are not grey frames')
    return end < 0 ? undefined : rest.toString('latin1', 0, end)
  }
  return {
    add(bytes) {
      rest = Buffer.concat([rest, bytes])
      for (let header = line(); header !== undefined; header = line()) {
        if (format === undefined) {
          format = formatOf(header)
          rest = rest.subarray(header.length + 1)
          continue
        }
        if (!header.startsWith(FRAME)) throw new Error('these are not grey frames')
        const begin = header.length + 1
        const end = begin + format.width * format.height
        if (rest.length < end) return
        const { width, height, sampleAspect } = format
        onFrame({ pixels: { data: rest.subarray(begin, end), width, height, channels: 1 }, sampleAspect })
        rest = rest.subarray(end)
      }
    },
    end() {
      if (rest.length > 0) throw new Error('a frame is not whole')
    },
  }
}

function formatOf(header) {
  const [signature, ...fields] = header.split(' ')
  const field = (letter) => fields.find((one) => one.startsWith(letter))?.slice(1)
  const [width, height] = [Number(field('W')), Number(field('H'))]
  if (signature !== 'YUV4MPEG2' || field('C') !== 'mono' || !(width > 0 && height > 0))
    throw new Error('these are not grey frames')
  const [across = 0, down = 0] = (field('A') ?? '').split(':').map(Number)
  return { width, height, sampleAspect: across > 0 && down > 0 ? across / down : 1 }
}
