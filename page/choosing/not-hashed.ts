// The state of a file that was not hashed here: refused, or offered to be sent.

import { given } from '../given.js'
import type { Rejected, Sendable } from '../hashing/outcome.js'
import { maxBytes } from './max-bytes.js'
import type { Picture, PictureState } from './picture.js'

export function rejectedAs({ why, what, sendable }: Rejected, picture: Picture | undefined): PictureState {
  if (why === 'twice') return { at: 'stopped' }
  if (sendable === undefined) return { at: 'refused', why, ...(what !== undefined && { what }) }
  const offered = offeredAs(sendable, picture, 'memory')
  return offered.at === 'upload' ? offered : { at: 'refused', why }
}

/** Offers to send a file only if the server would read it. */
export function offeredAs(format: Sendable, picture: Picture | undefined, because?: 'animated' | 'memory'): PictureState {
  const bytes = picture?.file.size ?? 0
  if (format === 'video') {
    const isTaken = bytes <= maxBytes().videos
    return isTaken ? { at: 'upload', kind: 'videos' } : { at: 'refused', why: 'video-undecodable' }
  }
  if (given.unread.includes(format)) return { at: 'refused', why: 'server-cannot' }
  if (bytes > given.maxImageBytes) return { at: 'refused', why: 'file-too-large' }
  return { at: 'upload', kind: 'pictures', ...(because !== undefined && { because }) }
}
