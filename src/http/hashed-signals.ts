// The result of hashing an uploaded picture or video: what to match with, and the hashes that its sender gets.

import { fileSignals } from '../../packages/core/src/matching/file-signals.js'
import { formatSignalHash } from '../../packages/core/src/matching/hash-text.js'
import type { HashedImage, HashedSignal, HashedVideoFile } from '../../packages/core/src/matching/hashed-image.js'
import type { QueryPicture } from '../services/matching/match.js'
import type { AskedVideo } from '../services/matching/video/video-matcher.js'

function askedOf({ signals }: HashedImage, withTransforms: boolean): readonly HashedSignal[] {
  return withTransforms ? signals : signals.map((signal) => ({ ...signal, hashes: signal.hashes.slice(0, 1) }))
}

export function queryPictureOf(image: HashedImage, withTransforms: boolean, context: string | undefined): QueryPicture {
  const { asked: views, isForm, isObject } = image
  return { signals: askedOf(image, withTransforms), views, isForm, isObject, context }
}

/** Also the hash of the file, which finds a copy of it whatever its frames look like. */
export function askedVideoOf(
  { frames, file }: HashedVideoFile,
  withTransforms: boolean,
  context: string | undefined,
): AskedVideo {
  const unturned = (signal: HashedSignal): HashedSignal => ({ ...signal, hashes: signal.hashes.slice(0, 1) })
  const asked = withTransforms ? frames : frames.map((frame) => ({ ...frame, signals: frame.signals.map(unturned) }))
  return { frames: asked, file: fileSignals(file).map(({ hash, ...rest }) => ({ ...rest, hashes: [hash] })), context }
}

export function ownSignals({ signals }: HashedImage) {
  return signals.flatMap(({ type, view, quality, hashes: [hash] }) =>
    hash === undefined ? [] : [{ type, view, quality, hash: formatSignalHash(type, hash) }],
  )
}

/**
 * Omits SHA-256 when the image was cut out of a longer file: it would be the hash of the part that was kept, not of the file. No match is lost: a
 * padded file has another SHA-256 than the original.
 */
export async function ofImage(hashing: Promise<HashedImage>, isCut: boolean): Promise<HashedImage> {
  const hashed = await hashing
  return isCut ? { ...hashed, signals: hashed.signals.filter(({ type }) => type !== 'sha256') } : hashed
}
