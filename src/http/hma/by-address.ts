// Pictures and videos that a client of HMA sends, or names by their address.

import type { HashedImage } from '../../../packages/core/src/matching/hashed-image.js'
import { Problem } from '../../domain/problem.js'
import type { Hashing } from '../../services/intake/hashing.js'
import type { FetchedBody, FetchRefusal, PictureFetching } from '../../services/intake/picture-fetching.js'
import type { VideoHashing, VideoPurpose } from '../../services/intake/video-hashing.js'
import { ofImage } from '../hashed-signals.js'
import { type Exchange, forQueries, type InFlight, imageFrom, oneFile, type UploadLimits } from '../upload.js'
import { contentTypeNamed, PHOTO, selectedTypes, VIDEO } from './hma-signals.js'
import type { LaxFields } from './lax.js'
import { HmaRefusal } from './refusals.js'
import { type HmaVideo, withVideoFile } from './video-file.js'

export interface ByAddressOptions {
  readonly pictures: PictureFetching
  readonly hashing: Hashing
  readonly videoHashing: VideoHashing
  readonly uploadLimits: UploadLimits
  readonly inFlight: InFlight
}

/** HMA's texts. Clients search for `missing role`. */
const REFUSALS: Readonly<Record<FetchRefusal, () => HmaRefusal>> = {
  off: () => new HmaRefusal(403, 'Hashing is disabled, missing role'),
  unsafe: () => new HmaRefusal(400, 'Invalid or unsafe URL provided'),
  failed: () => new HmaRefusal(400, 'Failed to fetch URL: no usable answer'),
}
const UNKNOWN_CONTENT =
  'unsupported url ContentType, if you know the expected type, provide it with the content_type query param'

/** Fetches and hashes a file. @returns the hashes, or why the picture has none. @throws {HmaRefusal | Problem} */
export async function hashedFrom(
  { pictures, hashing, videoHashing, uploadLimits, inFlight }: ByAddressOptions,
  url: string,
  query: LaxFields,
  purpose: VideoPurpose,
  { request, reply }: Exchange,
): Promise<HashedImage | HmaVideo | Problem> {
  const asked = query.text('content_type')
  if (asked !== undefined) contentTypeNamed(asked)
  const types = query.text('types')
  if (asked !== undefined) selectedTypes(types, asked)
  const from = request.hashingFor(reply)
  const ofPictures = purpose === 'submission' ? 'submission' : 'query'
  let content = asked
  return withVideoFile(videoHashing, { types, purpose, from, reply }, async (take) => {
    const fetched = await pictures.fetch(url, (answer) => {
      content ??= contentTypeIn(answer)
      selectedTypes(types, content)
      if (purpose !== 'submission') return imageFrom(answer.body, forQueries(uploadLimits), inFlight)
      if ((answer.sizeBytes ?? 0) > uploadLimits.maxImageBytes) throw new Problem('image-too-large')
      return imageFrom(answer.body, uploadLimits, inFlight)
    })
    if (typeof fetched === 'string') throw REFUSALS[fetched]()
    return fetched.taken<HashedImage | HmaVideo>(async (pieces, isCut) =>
      content === VIDEO ? take(pieces, isCut) : ofImage(hashing.hash(pieces, ofPictures, 'none', from), isCut),
    )
  })
}

/** Hashes the one file of a form. @returns the other fields of the form, too. */
export async function hashedUpload(
  { hashing, videoHashing, uploadLimits, inFlight }: ByAddressOptions,
  types: string | undefined,
  purpose: VideoPurpose,
  { request, reply }: Exchange,
): Promise<{ readonly result: HashedImage | HmaVideo | Problem; readonly fields: ReadonlyMap<string, string> }> {
  const from = request.hashingFor(reply)
  const isQuery = purpose !== 'submission'
  const limits = isQuery ? forQueries(uploadLimits) : uploadLimits
  let content = ''
  const accepts = (name: string) => {
    contentTypeNamed(name)
    selectedTypes(types, name)
    content = name
  }
  let fields: ReadonlyMap<string, string> = new Map()
  const result = await withVideoFile(videoHashing, { types, purpose, from, reply }, async (take) => {
    const file = await oneFile<HashedImage | HmaVideo>(request, limits, inFlight, accepts, async (pieces, isCut) => {
      if (content === VIDEO) return take(pieces, isCut)
      return ofImage(hashing.hash(pieces, isQuery ? 'query' : 'submission', 'none', from), isCut)
    })
    fields = file.fields
    return file.result
  })
  await request.reauthorize()
  return { result, fields }
}

function contentTypeIn({ contentType = '' }: FetchedBody): string {
  if (/^image/i.test(contentType)) return PHOTO
  if (/^video/i.test(contentType)) return VIDEO
  throw new HmaRefusal(400, UNKNOWN_CONTENT)
}
