// Reads from the parameters of an H.264 video whether its pictures are cut off at the left or at the top (ITU-T H.264, 7.3.2.1.1).

const HIGH_PROFILES = new Set([44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244])
const CHROMA_444 = 3
/** Offset of the number of parameter sets in an AVCDecoderConfigurationRecord. */
const COUNT_AT = 5
const MAX_POC_CYCLE = 255

/**
 * @param description an AVCDecoderConfigurationRecord, which containers have.
 * @returns false also for one that cannot be read.
 */
export function isCroppedLeftOrTop(description: Uint8Array): boolean {
  let at = COUNT_AT + 1
  for (let count = (description[COUNT_AT] ?? 0) & 31; count > 0; count--) {
    const end = at + 2 + (((description[at] ?? 0) << 8) | (description[at + 1] ?? 0))
    if (end > description.length) return false
    if (isCropped(description.subarray(at + 3, end))) return true
    at = end
  }
  return false
}

/** @param escaped a sequence parameter set without its first byte. */
function isCropped(escaped: Uint8Array): boolean {
  try {
    return readCropping(bitsOf(escaped.filter((byte, i) => !(byte === 3 && escaped[i - 1] === 0 && escaped[i - 2] === 0))))
  } catch {
    return false
  }
}

function readCropping({ read, ue }: ReturnType<typeof bitsOf>): boolean {
  const profile = read(8)
  read(16)
  ue()
  if (HIGH_PROFILES.has(profile)) {
    const chroma = ue()
    if (chroma === CHROMA_444) read(1)
    ue()
    ue()
    read(1)
    const lists = chroma === CHROMA_444 ? 12 : 8
    const hasLists = read(1) === 1
    for (let i = 0; hasLists && i < lists; i++) {
      const isGiven = read(1) === 1
      if (isGiven) skipScalingList(i < 6 ? 16 : 64, ue)
    }
  }
  ue()
  skipOrder({ read, ue })
  ue()
  read(1)
  ue()
  ue()
  if (read(1) === 0) read(1)
  read(1)
  if (read(1) === 0) return false
  const left = ue()
  ue()
  return left > 0 || ue() > 0
}

/** How the order of pictures is coded. */
function skipOrder({ read, ue }: Pick<ReturnType<typeof bitsOf>, 'read' | 'ue'>): void {
  const type = ue()
  if (type === 0) ue()
  if (type !== 1) return
  read(1)
  ue()
  ue()
  const cycle = ue()
  if (cycle > MAX_POC_CYCLE) throw new RangeError('there is no such cycle')
  for (let i = 0; i < cycle; i++) ue()
}

function skipScalingList(size: number, ue: () => number): void {
  let [last, next] = [8, 8]
  for (let i = 0; i < size; i++) {
    if (next !== 0) {
      const code = ue()
      const delta = code % 2 === 1 ? (code + 1) / 2 : -code / 2
      next = (last + delta + 256) % 256
    }
    if (next !== 0) last = next
  }
}

/** The highest bit of a byte first. @throws {RangeError} beyond the end. */
function bitsOf(bytes: Uint8Array) {
  let at = 0
  const read = (count: number): number => {
    if (at + count > 8 * bytes.length) throw new RangeError('the parameters end too early')
    let value = 0
    for (let k = 0; k < count; k++, at++) value = 2 * value + (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1)
    return value
  }
  return {
    read,
    /** An Exp-Golomb code; signed ones are as long. */
    ue(): number {
      let zeros = 0
      while (read(1) === 0) zeros++
      return 2 ** zeros - 1 + read(zeros)
    },
  }
}
