// Adds noise to the scans of a JPEG, to find out whether any of them lacks data.

const START_OF_SCAN = 0xda
const RESTART_INTERVAL = 0xdd
const END = Buffer.from([0xff, 0xd9])
/** No program writes more scans. */
const MAX_SCANS = 100

/**
 * A decoder that has all data of a scan skips what follows up to the next marker, so it ignores the noise.
 * @returns a copy with noise wherever the data of a scan ends, for the caller to overwrite; `undefined` if no scan is found or there are too many.
 */
export function withNoise(jpeg: Buffer): Buffer | undefined {
  const parts: Buffer[] = []
  let copiedTo = 0
  let hasRestarts = false // without an interval, a restart marker ends a scan like any other
  for (let at = 2; ; ) {
    at = nextMarker(jpeg, at)
    if (at + 4 > jpeg.length || jpeg[at + 1] === END[1]) break
    const marker = jpeg[at + 1] ?? 0
    if (marker === RESTART_INTERVAL) hasRestarts = at + 6 <= jpeg.length && jpeg.readUInt16BE(at + 4) > 0
    at += isStandalone(marker) ? 2 : 2 + jpeg.readUInt16BE(at + 2)
    if (marker !== START_OF_SCAN) continue
    if (parts.length >= 2 * MAX_SCANS) return undefined
    while (hasRestarts && at < jpeg.length && isRestart(jpeg[nextMarker(jpeg, at) + 1])) at = nextMarker(jpeg, at) + 2
    const end = nextMarker(jpeg, at)
    parts.push(jpeg.subarray(copiedTo, end === jpeg.length ? lengthWithoutZeros(jpeg) : end), NOISE)
    copiedTo = end
    at = end
  }
  if (parts.length === 0) return undefined
  return Buffer.concat([...parts, jpeg.subarray(copiedTo), END])
}

/** An interrupted download may have the full length, with zeros at the end. */
function lengthWithoutZeros(jpeg: Buffer): number {
  let length = jpeg.length
  while (length > 0 && jpeg[length - 1] === 0) length--
  return length
}

/** @returns where the next marker begins, a 0xff that is followed by neither 0 nor 0xff; the length of the file if there is none. */
function nextMarker(jpeg: Buffer, from: number): number {
  for (let at = jpeg.indexOf(0xff, from); at >= 0; at = jpeg.indexOf(0xff, at + 1)) {
    const next = jpeg[at + 1]
    if (next !== 0x00 && next !== 0xff) return at
  }
  return jpeg.length
}

const isRestart = (marker = 0) => marker >= 0xd0 && marker <= 0xd7
/** Markers without a length: TEM and RST. */
const isStandalone = (marker: number) => marker === 0x01 || isRestart(marker)

export const NOISE_BYTES = noiseOf(2048)
/** Codes for some blocks, then more after each of the eight restart markers: a decoder that waits for a restart marker skips everything before it. */
const NOISE = Buffer.concat([
  NOISE_BYTES,
  ...Array.from({ length: 8 }, (_, k) => Buffer.from([0xff, 0xd0 + k, ...noiseOf(256)])),
])

/** Bytes below 0xff, from a linear congruential generator. */
function noiseOf(length: number): Buffer {
  let state = 1
  return Buffer.from(
    Array.from({ length }, () => {
      state = (1_103_515_245 * state + 12_345) % 2 ** 31
      return (state >>> 16) % 0xff
    }),
  )
}
