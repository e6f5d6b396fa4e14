// Pictures that a client of HMA names by their address instead of sending them.

import type { HashedImage } from '../../domain/matching/hashed-image.js'
import { Problem } from '../../domain/problem.js'
import type { Hashing, HashingFor } from '../../services/intake/hashing.js'
import type { FetchedBody, FetchRefusal, PictureFetching } from '../../services/intake/picture-fetching.js'
import { ofImage } from '../hashed-signals.js'
import { forQueries, type InFlight, imageFrom, type UploadLimits } from '../upload.js'
import { contentTypeNamed, md5Of, PHOTO, selectedTypes, VIDEO } from './hma-signals.js'
import type { LaxFields } from './lax.js'
import { HmaRefusal } from './refusals.js'

export interface ByAddressOptions {
  readonly pictures: PictureFetching
  readonly hashing: Hashing
  readonly uploadLimits: UploadLimits
  readonly inFlight: InFlight
}

/** In HMA's words; clients look for `missing role`. */
const REFUSALS: Readonly<Record<FetchRefusal, () => HmaRefusal>> = {
  off: () => new HmaRefusal(403, 'Hashing is disabled, missing role'),
  unsafe: () => new HmaRefusal(400, 'Invalid or unsafe URL provided'),
  failed: () => new HmaRefusal(400, 'Failed to fetch URL: there was no usable answer'),
}
const UNKNOWN_CONTENT =
  'unsupported url ContentType, if you know the expected type, provide it with the content_type query param'

/** @returns the hashes, or why the picture has none. @throws {HmaRefusal | Problem} */
export async function hashedFrom(
  { pictures, hashing, uploadLimits, inFlight }: ByAddressOptions,
  url: string,
  query: LaxFields,
  purpose: Parameters<Hashing['hash']>[1],
  from: HashingFor,
): Promise<HashedImage | { readonly md5: string } | Problem> {
  const asked = query.text('content_type')
  if (asked !== undefined) contentTypeNamed(asked)
  const types = query.text('types')
  if (asked !== undefined) selectedTypes(types, asked)
  let content = asked
  const fetched = await pictures.fetch(url, (answer) => {
    content ??= contentTypeIn(answer)
    selectedTypes(types, content)
    if (purpose === 'query') return imageFrom(answer.body, forQueries(uploadLimits), inFlight)
    if ((answer.sizeBytes ?? 0) > uploadLimits.maxImageBytes) throw new Problem('image-too-large')
    return imageFrom(answer.body, uploadLimits, inFlight)
  })
  if (typeof fetched === 'string') throw REFUSALS[fetched]()
  return fetched.taken<HashedImage | { readonly md5: string }>(async (pieces, isCut) =>
    content === VIDEO ? { md5: await md5Of(pieces, isCut) } : ofImage(hashing.hash(pieces, purpose, 'none', from), isCut),
  )
}

function contentTypeIn({ contentType = '' }: FetchedBody): string {
  if (/^image/i.test(contentType)) return PHOTO
  if (/^video/i.test(contentType)) return VIDEO
  throw new HmaRefusal(400, UNKNOWN_CONTENT)
}
