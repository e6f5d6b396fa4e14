// Reads grey frames from a Y4M stream of ffmpeg: a header line, and for each frame a line and its pixels.

const FRAME = 'FRAME'
const LINE_END = 10
const MAX_HEADER_BYTES = 1024

/**
 * Reads a stream of grey frames.
 * @param onFrame receives `{ pixels, sampleAspect }` of each frame.
 * @returns `add` for parts of the stream, and `end` after the last. Both throw if it is no such stream or a frame is incomplete.
 */
export function createY4mReader(onFrame) {
  let format
  let parts = []
  let size = 0
  let wanted = 1 // [bytes] Smaller buffers are not joined yet

  /** @returns how many bytes were read. */
  const readOne = (bytes) => {
    const end = bytes.indexOf(LINE_END)
    if (end < 0 && bytes.length > MAX_HEADER_BYTES) throw new Error('these are not grey frames')
    if (end < 0) return 0
    const header = bytes.toString('latin1', 0, end)
    if (format === undefined) {
      format = formatOf(header)
      return end + 1
    }
    if (!header.startsWith(FRAME)) throw new Error('these are not grey frames')
    const { width, height, sampleAspect } = format
    wanted = end + 1 + width * height
    if (bytes.length < wanted) return 0
    onFrame({ pixels: { data: bytes.subarray(end + 1, wanted), width, height, channels: 1 }, sampleAspect })
    return wanted
  }
  return {
    add(bytes) {
      parts.push(bytes)
      size += bytes.length
      if (size < wanted) return
      let rest = Buffer.concat(parts)
      for (let read = readOne(rest); read > 0; read = readOne(rest)) rest = rest.subarray(read)
      parts = [rest]
      size = rest.length
    },
    end() {
      if (size > 0) throw new Error('a frame is not whole')
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
