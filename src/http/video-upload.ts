// Reads one video from a multipart body into memory. Never writes it to disk.

import type {} from '@fastify/multipart' // adds isMultipart and parts to requests
import type { FastifyReply, FastifyRequest } from 'fastify'
import { fieldDeclaresMinor } from '../domain/cases/minors.js'
import { Problem } from '../domain/problem.js'
import type { ReceivedVideo, VideoHashing } from '../services/intake/video-hashing.js'
import { uploadProblem } from './upload.js'

/** Maximum size of a form besides its video. */
const FORM_BYTES = 64 << 10
/** Time for the answer after the video was hashed, before the connection counts as idle. */
const ANSWER_MS = 30_000

export interface VideoUpload<T> {
  readonly videoHashing: VideoHashing
  /** Called with each chunk, before the chunk is overwritten. */
  readonly onChunk?: (chunk: Buffer) => void
  /** Called with the form's fields, the first 1024 bytes of each. If it throws, the upload is refused. */
  readonly onField?: (name: string, text: string) => void
  /** Gets the video, and a signal that aborts when the caller disconnects. The video is overwritten once this settles. */
  readonly use: (video: ReceivedVideo, disconnected: AbortSignal) => Promise<T>
}

/**
 * Reads the part named `video`, and passes it to `use`. Refuses the request before it reads the body if the body is too large, its length is not
 * declared, or no worker can decode videos.
 * @throws {Problem} media-unsupported, length-missing, video-file-too-large, video-unavailable, store-unavailable, overloaded, upload-incomplete,
 *   video-missing, too-many-images; minor-declared if a field says so.
 */
export async function withVideo<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  { videoHashing, onChunk = () => {}, onField = () => {}, use }: VideoUpload<T>,
): Promise<T> {
  if (!request.isMultipart()) throw new Problem('media-unsupported')
  const disconnected = disconnectSignal(reply)
  const video = await admit(request, reply, videoHashing, disconnected)
  try {
    await read(request, video, { ...videoHashing.limits, onChunk, onField })
    keepWaiting(reply, videoHashing)
    return await use(video, disconnected)
  } finally {
    video.release()
  }
}

async function admit(
  request: FastifyRequest,
  reply: FastifyReply,
  videoHashing: VideoHashing,
  disconnected: AbortSignal,
): Promise<ReceivedVideo> {
  const { maxBytes } = videoHashing.limits
  const length = request.headers['content-length']
  return beforeUpload(reply, async () => {
    if (length === undefined) throw new Problem('length-missing')
    if (Number(length) > maxBytes + FORM_BYTES) throw new Problem('video-file-too-large')
    if (await videoHashing.lackDecoders()) throw new Problem('video-unavailable')
    if (disconnected.aborted) throw new Problem('upload-incomplete')
    return videoHashing.receive(request.hashingFor(reply), Math.min(Number(length), maxBytes))
  })
}

/** Runs a check before the body of a request is read. If it throws, the body is not read. */
export async function beforeUpload<T>(reply: FastifyReply, check: () => T | Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (error) {
    reply.header('connection', 'close') // what still arrives is not read
    throw error
  }
}

type ReadOptions = Required<Pick<VideoUpload<unknown>, 'onChunk' | 'onField'>> & VideoHashing['limits']

async function read(request: FastifyRequest, video: ReceivedVideo, options: ReadOptions): Promise<void> {
  const { maxBytes, uploadTimeoutMs, onChunk, onField } = options
  const timer = endSlowUpload(request, uploadTimeoutMs)
  let isTooLarge = false
  try {
    for await (const part of request.parts({
      limits: { fileSize: maxBytes, files: 1, parts: 9, fields: 8, fieldSize: 1024 },
    })) {
      if (part.type !== 'file') {
        if (fieldDeclaresMinor(part.fieldname, part.value)) throw new Problem('minor-declared')
        onField(part.fieldname, String(part.value))
      } else if (part.fieldname !== 'video') part.file.resume()
      else {
        for await (const chunk of part.file) {
          if (!Buffer.isBuffer(chunk)) throw new Error('a part of a file yields Buffers')
          onChunk(chunk)
          video.add(chunk)
        }
        isTooLarge = part.file.truncated
      }
    }
  } catch (error) {
    throw uploadProblem(error)
  } finally {
    clearTimeout(timer)
  }
  if (isTooLarge) throw new Problem('video-file-too-large')
  if (video.sizeBytes === 0) throw new Problem('video-missing')
}

/** Fails the upload after this time: what reads the body, and the part of a form that is being read, get the error. @returns the timer, to stop it. */
export function endSlowUpload({ raw }: FastifyRequest, ms: number): NodeJS.Timeout {
  return setTimeout(() => raw.emit('error', new Problem('upload-incomplete')), ms)
}

/** Extends the idle timeout of the connection: nothing is sent until the video is hashed. Node resets it with the next request. */
export function keepWaiting(reply: FastifyReply, { limits }: Pick<VideoHashing, 'limits'>): void {
  reply.raw.setTimeout(limits.ttlMs + ANSWER_MS, () => reply.raw.destroy())
}

/** Aborts when the connection closes before the whole answer was sent. */
export function disconnectSignal(reply: FastifyReply): AbortSignal {
  const disconnected = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) disconnected.abort()
  })
  return disconnected.signal
}
