// Reads images from a multipart body into memory. Never writes them to disk.

import type { MultipartFile } from '@fastify/multipart' // adds isMultipart and parts to requests, too
import type { FastifyReply, FastifyRequest } from 'fastify'
import { fieldDeclaresMinor } from '../domain/cases/minors.js'
import { Problem } from '../domain/problem.js'
import { cutAtImageEnd, limitBody, upToItsLimit } from './image-cut.js'

/** A request and its answer. */
export interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

export interface UploadLimits {
  readonly maxImageBytes: number
  readonly maxImages: number
  /** Maximum bytes of images in this process at one time, over all requests. */
  readonly maxInFlightBytes: number
  /**
   * For queries: keeps the beginning of a file larger than `maxImageBytes`, and uses it if the image ends within it. So padding does not hide an
   * image.
   */
  readonly readsToImageEnd?: true
}

export function forQueries(limits: UploadLimits): UploadLimits {
  return { ...limits, readsToImageEnd: true }
}

/** Reads images only to look at their bytes: each chunk is overwritten at once, and each image refused. */
export function holdingNone(limits: UploadLimits): UploadLimits {
  return { ...limits, maxInFlightBytes: 0 }
}

/**
 * Takes ownership of an image, in the pieces in which it arrived, and overwrites them.
 * @param isCut whether the file had more bytes, which were dropped. Then the hash of the whole file is unknown.
 */
export type UseImage<T> = (image: readonly Buffer[], isCut: boolean) => Promise<T>

/** A query may send this many maximum-size files more than `maxImages`: padding, which is read and dropped. */
const DROPPED_FILES = 4

/** Bytes of images in memory now, shared by all requests. */
export interface InFlight {
  bytes: number
}

const RETRY_AFTER_S = 2

/**
 * Options of the multipart plugin.
 * - `throwFileSizeLimit`: false, because one part that is too large must not fail the others. `truncated` marks it.
 * - `fileHwm`: several times what a socket reads at once. Nothing reads a part whose header lacks `form-data`; once more than `fileHwm` of it waits,
 *   the parser (@fastify/busboy 3.2.6) stops for good, and the request is never answered.
 */
export const MULTIPART_OPTIONS = { throwFileSizeLimit: false, fileHwm: 1 << 19 } as const

/**
 * Passes each part named `image` to `use` as soon as it is read, while the next one arrives.
 *
 * A refused part does not stop the others: the result has its Problem in its place. An upload that breaks off is refused as a whole.
 *
 * @returns the results of `use`, in the order of the parts; at least one.
 * @throws {Problem} media-unsupported, upload-incomplete, too-many-images, image-missing, body-too-large; minor-declared if a field says so.
 */
export async function eachImage<T>(
  request: FastifyRequest,
  limits: UploadLimits,
  inFlight: InFlight,
  use: UseImage<T>,
  { onField = () => {}, onImage = () => ignoreChunk }: FormListeners = {},
): Promise<(T | Problem)[]> {
  if (!request.isMultipart()) throw new Problem('media-unsupported')
  if (limits.readsToImageEnd) limitBody(request.raw, (limits.maxImages + DROPPED_FILES) * limits.maxImageBytes)
  const uses: Promise<T | Problem>[] = []
  try {
    for await (const part of request.parts({
      limits: {
        fileSize: limits.maxImageBytes,
        files: limits.maxImages,
        parts: limits.maxImages + 8,
        fields: 8,
        fieldSize: 1024,
      },
    })) {
      if (part.type !== 'file') {
        if (fieldDeclaresMinor(part.fieldname, part.value)) throw new Problem('minor-declared')
        onField(part.fieldname, String(part.value))
        continue
      }
      if (part.fieldname !== 'image') part.file.resume()
      else {
        const used = settled(
          readPart(streamOf(part, limits), limits, inFlight, onImage()).then((image) => release(image, inFlight, use)),
        )
        used.catch(() => {}) // thrown to the caller below, once all parts are read: until then nobody may call it unhandled
        uses.push(used)
      }
      // The next part arrives only once this one is read: the parser waits for its stream.
    }
  } catch (error) {
    await Promise.allSettled(uses) // each overwrites its own bytes
    throw uploadProblem(error)
  }
  if (uses.length === 0) throw new Problem('image-missing')
  const results = await Promise.all(uses)
  const broken = results.find((result) => result instanceof Problem && result.code === 'upload-incomplete')
  if (broken instanceof Problem) throw broken
  return results
}

export interface FormListeners {
  /** Gets the form's fields, the first 1024 bytes of each. If it throws, the upload is refused. */
  readonly onField?: (name: string, text: string) => void
  /** Called for each image. The function that it returns gets the chunks as they arrive, also those of an image that is refused. */
  readonly onImage?: () => (chunk: Buffer) => void
}

const ignoreChunk = () => {}

/** The one file of a form, with the name of its part, and the other fields. */
export interface OneFile<T> {
  readonly name: string
  readonly result: T | Problem
  readonly fields: ReadonlyMap<string, string>
}

/**
 * For forms whose file part may have various names. Takes exactly one file, and passes it to `use` once `accepts` has checked the name.
 * @param accepts throws for an invalid name.
 * @throws {Problem} media-unsupported, image-missing, too-many-images, upload-incomplete, body-too-large; minor-declared if a field says so.
 */
export async function oneFile<T>(
  request: FastifyRequest,
  limits: UploadLimits,
  inFlight: InFlight,
  accepts: (name: string) => void,
  use: UseImage<T>,
): Promise<OneFile<T>> {
  if (!request.isMultipart()) throw new Problem('media-unsupported')
  if (limits.readsToImageEnd) limitBody(request.raw, (1 + DROPPED_FILES) * limits.maxImageBytes)
  const fields = new Map<string, string>()
  let found: { readonly name: string; readonly work: Promise<T | Problem> } | undefined
  let refusal: unknown
  try {
    for await (const part of request.parts({
      limits: { fileSize: limits.maxImageBytes, files: 2, parts: 10, fields: 8, fieldSize: 4096 },
    })) {
      if (part.type !== 'file') {
        if (fieldDeclaresMinor(part.fieldname, part.value)) refusal ??= new Problem('minor-declared')
        fields.set(part.fieldname, String(part.value))
        continue
      }
      if (found !== undefined) refusal ??= new Problem('too-many-images')
      try {
        accepts(part.fieldname)
      } catch (error) {
        refusal ??= error
      }
      if (refusal !== undefined) part.file.resume()
      else {
        const work = readPart(streamOf(part, limits), limits, inFlight).then((image) => release(image, inFlight, use))
        found = { name: part.fieldname, work: settled(work) }
      }
    }
  } catch (error) {
    await found?.work
    throw uploadProblem(error)
  }
  const result = await found?.work
  if (refusal !== undefined) throw refusal
  if (found === undefined || result === undefined) throw new Problem('image-missing')
  if (result instanceof Problem && result.code === 'upload-incomplete') throw result
  return { name: found.name, result, fields }
}

/**
 * Reads a picture from a body that is not a form.
 * @returns a function that passes the picture to `use`, and returns its result or the Problem of this picture. @throws {Problem} upload-incomplete
 */
export async function imageFrom(body: AsyncIterable<unknown>, limits: UploadLimits, inFlight: InFlight) {
  const read = { truncated: false }
  const file = {
    [Symbol.asyncIterator]: () => upToLimit(body, limits.maxImageBytes, read),
    get truncated() {
      return read.truncated
    },
  }
  const image = await readPart(file, limits, inFlight)
  return <T>(use: UseImage<T>): Promise<T | Problem> => settled(release(image, inFlight, use))
}

/** At module level: V8 would keep every call of a generator closure alive (decision 0086). */
async function* upToLimit(body: AsyncIterable<unknown>, maxBytes: number, read: { truncated: boolean }) {
  let room = maxBytes
  for await (const chunk of body) {
    if (Buffer.isBuffer(chunk) && chunk.length > room) {
      read.truncated = true
      chunk.fill(0, room)
      yield chunk.subarray(0, room)
      return
    }
    if (Buffer.isBuffer(chunk)) room -= chunk.length
    yield chunk
  }
}

async function release<T>({ pieces, isCut }: ReadImage, inFlight: InFlight, use: UseImage<T>): Promise<T> {
  const sizeBytes = sizeOf(pieces)
  try {
    return await use(pieces, isCut)
  } finally {
    inFlight.bytes -= sizeBytes
  }
}

function sizeOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0)
}

interface ReadImage {
  readonly pieces: readonly Buffer[]
  readonly isCut: boolean
}

function streamOf({ file }: MultipartFile, { readsToImageEnd }: UploadLimits): FileStream {
  if (!readsToImageEnd) return file
  const bytes = upToItsLimit(file)
  return {
    [Symbol.asyncIterator]: () => bytes,
    get truncated() {
      return file.truncated
    },
  }
}

type FileStream = AsyncIterable<unknown> & { readonly truncated: boolean }

/**
 * Reads an image; its bytes stay counted in `inFlight`. Overwrites the bytes of a refused image, and bytes behind the end of an image.
 * Reads a refused part to its end, because the parser waits for it before the next part. Returns a cut part at once: the parser drops the rest.
 * @returns the pieces of the image.
 */
async function readPart(
  file: FileStream,
  limits: UploadLimits,
  inFlight: InFlight,
  onChunk: (chunk: Buffer) => void = ignoreChunk,
): Promise<ReadImage> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  let refusal: Problem | undefined
  try {
    for await (const chunk of file) {
      if (!Buffer.isBuffer(chunk)) throw new Error('a part of a file yields Buffers')
      onChunk(chunk)
      if (inFlight.bytes + chunk.length > limits.maxInFlightBytes)
        refusal = new Problem('overloaded', { retryAfterS: RETRY_AFTER_S })
      if (refusal !== undefined) {
        chunk.fill(0)
        continue
      }
      chunks.push(chunk)
      sizeBytes += chunk.length
      inFlight.bytes += chunk.length
    }
    if (refusal !== undefined) throw refusal
    const isCut = file.truncated
    const pieces = isCut ? limits.readsToImageEnd && cutAtImageEnd(chunks) : chunks
    if (pieces === undefined) throw new Problem('image-too-large')
    if (sizeBytes === 0) throw new Problem('image-empty')
    inFlight.bytes -= sizeBytes - sizeOf(pieces)
    return { pieces, isCut }
  } catch (error) {
    inFlight.bytes -= sizeBytes
    for (const chunk of chunks) chunk.fill(0)
    throw error instanceof Problem ? error : new Problem('upload-incomplete', { cause: error })
  }
}

/** Turns a Problem into a result of this part. Any other error fails the request. */
async function settled<T>(use: Promise<T>): Promise<T | Problem> {
  try {
    return await use
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

export function uploadProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'FST_FILES_LIMIT' || code === 'FST_PARTS_LIMIT') return new Problem('too-many-images')
  if (code === 'FST_FIELDS_LIMIT') return new Problem('request-invalid')
  return new Problem('upload-incomplete', { cause: error })
}
