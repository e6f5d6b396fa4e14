// Reads one file of any kind into memory, and hashes it if it is a picture or a video. Never writes it to disk.

import type { HashedImage, HashedVideoFile } from '../../../../packages/core/src/matching/hashed-image.js'
import { fieldDeclaresMinor } from '../../../domain/cases/minors.js'
import { FORMAT_BYTES, formatOf, isDecoded, unreadKindOf } from '../../../domain/media/media-formats.js'
import { Problem, type ProblemCode } from '../../../domain/problem.js'
import type { Hashing } from '../../../services/intake/hashing.js'
import type { VideoHashing } from '../../../services/intake/video-hashing.js'
import type { Matcher } from '../../../services/matching/matcher.js'
import { ofImage } from '../../hashed-signals.js'
import { isStream } from '../../ndjson.js'
import { type Exchange, forQueries, type InFlight, imageFrom, type UploadLimits, uploadProblem } from '../../upload.js'
import { disconnectSignal, endSlowUpload, keepWaiting } from '../../video-upload.js'

/** What a file turned out to be. `other`: no picture and no video that is read here. A Problem is about this file. */
export type FileContent = { readonly image: HashedImage } | { readonly video: HashedVideoFile } | 'other' | Problem

export interface AnyFileParts {
  readonly hashing: Hashing
  readonly videoHashing: VideoHashing
  readonly uploadLimits: UploadLimits
  readonly inFlight: InFlight
  /** Knows whether pictures are matched by details as well. */
  readonly matcher: Pick<Matcher, 'hasDetails'>
}

/** Problems that another try with the same file would have again. All others are about the request or the service. */
const OF_THE_FILE: ReadonlySet<ProblemCode> = new Set([
  'media-unsupported',
  'quality-too-low',
  'image-empty',
  'image-too-large',
  'image-too-many-pixels',
  'image-undecodable',
  'video-file-too-large',
  'video-undecodable',
  'video-too-long',
  'video-too-large',
])

/**
 * Takes the body as the file, or the one file of a form, whatever the name of its part. Reads the upload to its end, however long: most clients send
 * all of it before they read an answer. Keeps no byte of padding, or of a file that is neither picture nor video.
 * @throws {Problem} upload-incomplete, image-missing, too-many-images, minor-declared; overloaded, hashing-unavailable, store-unavailable,
 *   video-unavailable, rate-limited
 */
export async function hashAnyFile(parts: AnyFileParts, exchange: Exchange): Promise<FileContent> {
  const { request } = exchange
  if (request.isMultipart()) return hashFileOfForm(parts, exchange)
  if (!isStream(request.body)) return 'other' // no body
  const file = await readFile(parts, exchange, request.body).catch((error) => {
    throw uploadProblem(error)
  })
  return file.content
}

async function hashFileOfForm(parts: AnyFileParts, exchange: Exchange): Promise<FileContent> {
  let file: ReadFile | undefined
  let refusal: Problem | undefined
  try {
    for await (const part of exchange.request.parts({
      limits: { fileSize: Number.MAX_SAFE_INTEGER, files: 2, parts: 10, fields: 8, fieldSize: 1024 },
    })) {
      if (part.type !== 'file') {
        if (fieldDeclaresMinor(part.fieldname, part.value)) refusal ??= new Problem('minor-declared')
        continue
      }
      if (file !== undefined) refusal ??= new Problem('too-many-images')
      if (refusal === undefined) file = await readFile(parts, exchange, part.file)
      else part.file.resume()
    }
  } catch (error) {
    refusal ??= uploadProblem(error)
  }
  if (refusal !== undefined) {
    await file?.content.catch(() => {}) // it overwrites its own bytes
    throw refusal
  }
  if (file === undefined) throw new Problem('image-missing')
  return file.content
}

/** A file that was read to its end, while it is being hashed. */
interface ReadFile {
  readonly content: Promise<FileContent>
}

async function readFile(parts: AnyFileParts, exchange: Exchange, file: AsyncIterable<unknown>): Promise<ReadFile> {
  const chunks = file[Symbol.asyncIterator]()
  const head: Buffer[] = []
  for (let bytes = 0; bytes < FORMAT_BYTES; bytes += head.at(-1)?.length ?? 0) {
    const chunk = await nextOf(chunks)
    if (chunk === undefined) break
    head.push(chunk)
  }
  const kind = kindOf(Buffer.concat(head).subarray(0, FORMAT_BYTES))
  const body = { [Symbol.asyncIterator]: () => theRest(head, chunks) }
  const read =
    kind === 'picture'
      ? await readPicture(parts, exchange, body).catch(asContent)
      : kind === 'video'
        ? await readVideo(parts, exchange, body).catch(asContent)
        : { content: Promise.resolve('other' as const) }
  read.content.catch(() => {}) // thrown to the caller, once the rest was read
  for await (const chunk of body) chunk.fill(0)
  return { content: read.content.catch(ownProblem) }
}

function kindOf(start: Buffer): 'picture' | 'video' | 'other' {
  const format = formatOf(start)
  if (format !== undefined) return isDecoded(format) ? 'picture' : 'other'
  return unreadKindOf(start) === 'video' ? 'video' : 'other'
}

async function readPicture(
  { hashing, uploadLimits, inFlight, matcher }: AnyFileParts,
  { request, reply }: Exchange,
  body: AsyncIterable<Buffer>,
): Promise<ReadFile> {
  const use = await imageFrom(body, forQueries(uploadLimits), inFlight)
  const details = matcher.hasDetails() ? 'also' : 'none'
  const hashed = use((image, isCut) => ofImage(hashing.hash(image, 'query', details, request.hashingFor(reply)), isCut))
  return { content: hashed.then((image) => (image instanceof Problem ? ownProblem(image) : { image })) }
}

async function readVideo(
  { videoHashing }: AnyFileParts,
  { request, reply }: Exchange,
  body: AsyncIterable<Buffer>,
): Promise<ReadFile> {
  const { maxBytes, uploadTimeoutMs } = videoHashing.limits
  if (await videoHashing.lackDecoders()) throw new Problem('video-unavailable')
  const declaredBytes = Number(request.headers['content-length'] ?? maxBytes)
  const disconnected = disconnectSignal(reply)
  const video = videoHashing.receive(request.hashingFor(reply), Math.min(declaredBytes, maxBytes))
  const timer = endSlowUpload(request, uploadTimeoutMs)
  try {
    for await (const chunk of body) {
      if (video.sizeBytes + chunk.length > maxBytes) throw new Problem('video-file-too-large')
      video.add(chunk)
    }
  } catch (error) {
    video.release()
    throw error
  } finally {
    clearTimeout(timer)
  }
  keepWaiting(reply, videoHashing)
  const hashed = video.hash('query', disconnected).finally(() => video.release())
  return { content: hashed.then((video) => ({ video })) }
}

/** @returns the error, if it is about the file. @throws the error otherwise */
function ownProblem(error: unknown): Problem {
  if (error instanceof Problem && OF_THE_FILE.has(error.code)) return error
  throw error
}

function asContent(error: unknown): ReadFile {
  return { content: Promise.resolve(ownProblem(error)) }
}

/** May end early and be called again: unlike a loop over the stream itself, it leaves the connection open. */
async function* theRest(head: Buffer[], chunks: AsyncIterator<unknown>): AsyncGenerator<Buffer, void> {
  for (let chunk = head.shift(); chunk !== undefined; chunk = head.shift()) yield chunk
  for (let chunk = await nextOf(chunks); chunk !== undefined; chunk = await nextOf(chunks)) yield chunk
}

async function nextOf(chunks: AsyncIterator<unknown>): Promise<Buffer | undefined> {
  const { done, value } = await chunks.next()
  if (done === true) return undefined
  if (!Buffer.isBuffer(value)) throw new Error('a file yields Buffers')
  return value
}
