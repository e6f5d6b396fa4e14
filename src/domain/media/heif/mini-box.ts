// Reads the `mini` box of a HEIF file, which describes a picture in about twenty bytes instead of a `meta` box (ISO/IEC 23008-12, Annex O).

/** The coded data of a picture, or of its transparency. */
interface Coded {
  /** Configuration of the decoder: the content of `av1C` or `hvcC`. */
  readonly config: Buffer
  readonly data: Buffer
}

export interface MiniPicture {
  /** Four-character codes of the item type and of its configuration box. `undefined` if the brand of the file implies them. */
  readonly codec: { readonly item: string; readonly config: string } | undefined
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  readonly bits: number
  /** 1…8, as in EXIF. */
  readonly orientation: number
  /** Code points of ITU-T H.273. */
  readonly colours: {
    readonly primaries: number
    readonly transfer: number
    readonly matrix: number
    readonly isFull: boolean
  }
  readonly profile: Buffer | undefined
  readonly main: Coded
  readonly alpha: (Coded & { readonly isPremultiplied: boolean }) | undefined
}

/**
 * @param content of the box. The result refers to it; nothing is copied.
 * @returns `undefined` if it is not such a picture, or declares more data than the box has.
 */
export function miniPicture(content: Buffer): MiniPicture | undefined {
  const read = DIALECTS.flatMap((dialect) => readingOf(content, dialect) ?? [])
  return (read.find(({ unused }) => unused === 0) ?? read[0])?.picture
}

/** Differences between what libavif and libheif write. Both ways are tried: the right one is that in which the declared lengths add up to the box. */
interface Dialect {
  /** Whether a grey picture has a code point for the matrix, which it does not need. */
  readonly hasGreyMatrix: boolean
  /** Whether a gain map has a flag for being as large as the picture. */
  readonly hasEqualSides: boolean
}

const DIALECTS: readonly Dialect[] = [
  { hasGreyMatrix: false, hasEqualSides: false },
  { hasGreyMatrix: true, hasEqualSides: true },
]

const GREY = 0
/** Number of bits for the position of colour samples, by the kind of subsampling. */
const PLACE_BITS = [0, 2, 1, 0]
/** The code point for "unspecified". */
const UNSAID = 2
const SRGB = { primaries: 1, transfer: 13 }
const BT601 = 6

function readingOf(content: Buffer, dialect: Dialect): { picture: MiniPicture; unused: number } | undefined {
  const bits = bitsOf(content)
  const { read, isSet } = bits
  const version = read(2)
  const [hasCodec, isFloat, isFull, hasAlpha] = [isSet(), isSet(), isSet(), isSet()]
  const [hasColours, hasHdr, hasProfile, hasExif, hasXmp] = [isSet(), isSet(), isSet(), isSet(), isSet()]
  const [kind, orientation] = [read(2), read(3) + 1]
  const sideBits = isSet() ? 15 : 7
  const [width, height] = [read(sideBits) + 1, read(sideBits) + 1]
  read(PLACE_BITS[kind] ?? 0)
  if (version !== 0 || isFloat) return undefined
  const depth = isSet() ? read(3) + 9 : 8
  const isPremultiplied = hasAlpha && isSet()
  const [primaries, transfer] = hasColours
    ? [read(8), read(8)]
    : hasProfile
      ? [UNSAID, UNSAID]
      : [SRGB.primaries, SRGB.transfer]
  const hasMatrix = hasColours && (kind !== GREY || dialect.hasGreyMatrix)
  const matrix = hasMatrix ? read(8) : kind === GREY ? UNSAID : BT601
  const codec = hasCodec ? { item: fourCharacters(read), config: fourCharacters(read) } : undefined
  const map = hasHdr ? skipHdr(bits, sideBits, dialect) : NO_MAP
  const metadataBits = (hasProfile || hasExif || hasXmp || map.isThere) && isSet() ? 20 : 10
  const configBits = isSet() ? 12 : 3
  const dataBits = isSet() ? 28 : 15
  const profileBytes = hasProfile ? read(metadataBits) + 1 : 0
  const mapProfileBytes = map.hasProfile ? read(metadataBits) + 1 : 0
  const mapMetadataBytes = map.isThere ? read(metadataBits) : 0
  const mapBytes = map.isThere ? read(dataBits) : 0
  const mapConfigBytes = mapBytes > 0 ? read(configBits) : 0
  const configBytes = read(configBits)
  const mainBytes = read(dataBits) + 1
  const alphaBytes = hasAlpha ? read(dataBits) : 0
  const alphaConfigBytes = alphaBytes > 0 ? read(configBits) : 0
  if (hasExif || hasXmp) read(1)
  const exifBytes = hasExif ? read(metadataBits) + 1 : 0
  const xmpBytes = hasXmp ? read(metadataBits) + 1 : 0

  let at = bits.bytesRead()
  const next = (bytes: number) => {
    at += bytes
    return content.subarray(at - bytes, at)
  }
  const config = next(configBytes)
  const ownConfig = next(alphaConfigBytes)
  next(mapConfigBytes)
  const profile = next(profileBytes)
  next(mapProfileBytes + mapMetadataBytes)
  const alpha = next(alphaBytes)
  next(mapBytes)
  const main = next(mainBytes)
  next(exifBytes + xmpBytes)
  if (at > content.length || configBytes === 0) return undefined
  return {
    unused: content.length - at,
    picture: {
      codec,
      width,
      height,
      channels: kind === GREY ? 1 : 3,
      bits: depth,
      orientation,
      colours: { primaries, transfer, matrix, isFull },
      profile: hasProfile ? profile : undefined,
      main: { config, data: main },
      alpha:
        alphaBytes === 0 ? undefined : { config: alphaConfigBytes === 0 ? config : ownConfig, data: alpha, isPremultiplied },
    },
  }
}

interface Bits {
  /** Reads an unsigned number. Bits beyond the end are 0. @param count of bits, up to 32. */
  read(count: number): number
  isSet(): boolean
  bytesRead(): number
}

function bitsOf(bytes: Buffer): Bits {
  let at = 0
  const read = (count: number): number => {
    let value = 0
    for (const end = at + count; at < end; at++) value = 2 * value + (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1)
    return value
  }
  return { read, isSet: () => read(1) === 1, bytesRead: () => Math.ceil(at / 8) }
}

function fourCharacters(read: Bits['read']): string {
  return String.fromCharCode(read(8), read(8), read(8), read(8))
}

/** What is declared about a gain map, by which HDR screens show a picture brighter. */
interface GainMap {
  readonly isThere: boolean
  readonly hasProfile: boolean
}
const NO_MAP: GainMap = { isThere: false, hasProfile: false }

function skipHdr(bits: Bits, sideBits: number, { hasEqualSides }: Dialect): GainMap {
  const { read, isSet } = bits
  const isThere = isSet()
  let hasProfile = false
  if (isThere) {
    if (!(hasEqualSides && isSet())) for (let side = 0; side < 2; side++) read(sideBits)
    read(8 + 1) // matrix, range
    read(PLACE_BITS[read(2)] ?? 0)
    const isFloat = isSet()
    if (isFloat) read(2)
    else if (isSet()) read(3)
    hasProfile = isSet()
    if (isSet()) read(3 * 8 + 1)
  }
  skipLight(bits)
  if (isThere) skipLight(bits)
  return { isThere, hasProfile }
}

/** Size in bits of each description of brightness: clli, mdcv, cclv (variable), amve, reve, ndwt. A flag for each says whether it is present. */
const LIGHT_BITS = [32, 192, undefined, 64, 128, 32]

function skipLight({ read, isSet }: Bits): void {
  const areThere = LIGHT_BITS.map(isSet)
  for (const [k, count] of LIGHT_BITS.entries()) {
    if (areThere[k] !== true) continue
    if (count === undefined) skipVolume(read)
    else for (let left = count; left > 0; left -= 32) read(32)
  }
}

function skipVolume(read: Bits['read']): void {
  const flags = read(8)
  const words = ((flags & 0x20) === 0 ? 0 : 6) + ((flags >> 4) & 1) + ((flags >> 3) & 1) + ((flags >> 2) & 1)
  for (let k = 0; k < words; k++) read(32)
}
