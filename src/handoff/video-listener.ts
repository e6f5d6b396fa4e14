// Routes of the private listener for videos. Unlike those for pictures, the response to a claim stays open until the worker may stop. So the worker
// sees at once that the request was cancelled, and the api sees at once that the worker died.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { isForOthers } from './for-others.js'
import type { ClaimedVideo, PendingVideos } from './pending-videos.js'
import { readVideoAnswer } from './video-answers.js'

/** Before the ticket in the path. */
export const VIDEOS_PATH = '/videos/'
/** Header of the response to a claim: the number of bytes of the video. After them the body stays open, without further bytes. */
export const VIDEO_SIZE_HEADER = 'x-video-bytes'

/**
 * GET /videos/<ticket> → 200 with the video, once; 410 afterwards; 409 as for pictures. It ends after the answer, and is cut off when the request was cancelled.
 * PUT /videos/<ticket> → 204 when the request waited for the answer; 410 when it was cancelled; 400 when the answer is malformed.
 */
export async function serveVideo(
  pendingVideos: PendingVideos,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const ticket = (request.url ?? '').slice(VIDEOS_PATH.length)
  if (request.method === 'GET') {
    if (isForOthers(request, pendingVideos, ticket)) return end(response, 409)
    const claimed = pendingVideos.claim(ticket)
    if (claimed === undefined) return end(response, 410)
    response.once('close', () => pendingVideos.fail(ticket)) // no effect after an answer
    await give(claimed, response)
  } else if (request.method === 'PUT') {
    end(response, pendingVideos.isTaken(ticket) ? await receive(pendingVideos, ticket, request) : 410)
  } else end(response, 405)
}

async function give({ bytes, over }: ClaimedVideo, response: ServerResponse): Promise<void> {
  over.then((isAnswered) => (isAnswered ? response.end() : response.destroy()))
  response.writeHead(200, { 'content-type': 'application/octet-stream', [VIDEO_SIZE_HEADER]: bytes.sizeBytes })
  for (const block of bytes.drain()) await written(response, block) // one at a time, so that each block is overwritten once it is sent
}

/** Resolves when the bytes were passed to the operating system. @throws {Error} when the connection broke off */
function written(response: ServerResponse, block: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(block, (error) => (error ? reject(error) : resolve()))
  })
}

async function receive(pendingVideos: PendingVideos, ticket: string, request: IncomingMessage): Promise<number> {
  try {
    return pendingVideos.answer(ticket, await readVideoAnswer(request)) ? 204 : 410
  } catch {
    pendingVideos.fail(ticket)
    return 400
  }
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 }).end()
}
