// A chosen file, a picture or a video, and its state.

import type { UnreadKind } from '../../src/domain/media/media-formats.js'
import type { Added } from '../api.js'
import type { Kind } from '../file-counts.js'
import type { Hashed, HashedVideoFile, Reason } from '../hashing/outcome.js'
import type { Said } from '../messages.js'
import { isVideoName } from '../unpacking/media-names.js'
import type { PickedFile } from '../unpacking/packed-file.js'

/** That can be chosen at a time. */
export const MAX_FILES = 1000

export type PictureState =
  | { readonly at: 'waiting' | 'stopped' }
  /** `share`: how much of a video was read, 0…1. */
  | { readonly at: 'reading'; readonly share?: number }
  | { readonly at: 'ready'; readonly hashed: Hashed | HashedVideoFile }
  /** This browser cannot open it. The page offers to upload it and says why, if there is a known reason. */
  | { readonly at: 'upload'; readonly kind: Kind; readonly because?: 'animated' | 'memory' }
  /** The submitter agreed to the upload. */
  | { readonly at: 'agreed'; readonly kind: Kind }
  | { readonly at: 'refused'; readonly why: Exclude<Reason, 'twice'>; readonly what?: UnreadKind }
  /** It has the same hashes as the chosen picture `duplicateOf`, so registering that one protects both. */
  | { readonly at: 'refused'; readonly why: 'twice'; readonly duplicateOf: number }

export interface Picture {
  readonly id: number
  /** Shown on this device and sent nowhere. */
  readonly name: string | Said
  readonly file: PickedFile
  /** Aborted when it is removed. */
  readonly reading: AbortController
  readonly state: PictureState
}

/** What can be registered: by its hashes, or by uploading the file. */
export type Usable =
  | { readonly id: number; readonly name: string | Said; readonly hashed: Hashed | HashedVideoFile }
  | { readonly id: number; readonly name: string | Said; readonly file: PickedFile; readonly kind: Kind }

export function kindOf(usable: Usable): Kind {
  if ('file' in usable) return usable.kind
  return usable.hashed.kind === 'hashed-video' ? 'videos' : 'pictures'
}

/** Whether a chosen file counts as a picture or a video: by its content if that is known, otherwise by its type or name. */
export function likelyKindOf(picture: Picture): Kind {
  const [usable] = usableOf(picture)
  if (usable !== undefined) return kindOf(usable)
  const { file, state } = picture
  if (state.at === 'upload') return state.kind
  if (state.at === 'refused' && (state.why.startsWith('video-') || ('what' in state && state.what === 'video')))
    return 'videos'
  return file.type.startsWith('video/') || isVideoName(file.name) ? 'videos' : 'pictures'
}

export function usableOf({ id, name, file, state }: Picture): Usable[] {
  if (state.at === 'ready') return [{ id, name, hashed: state.hashed }]
  return state.at === 'agreed' ? [{ id, name, file, kind: state.kind }] : []
}

/** Neither usable nor a copy of a usable one. */
export function isUnprotected(picture: Picture): boolean {
  const { state } = picture
  return usableOf(picture).length === 0 && !(state.at === 'refused' && state.why === 'twice')
}

/** From this PDQ quality on (0…100, how much detail the picture has), screenshots of a picture are usually found. */
export const WELL_PROTECTED_QUALITY = 80

/** Of a video. */
const WELL_PROTECTED_SHARE = 0.95

/** @returns the share of a video in which it can be recognised, if it is less than nearly all. A picture has none. */
export function protectedPart(hashed: Hashed | HashedVideoFile | Added): number | undefined {
  const share = 'protectedShare' in hashed ? hashed.protectedShare : undefined
  return share !== undefined && share < WELL_PROTECTED_SHARE ? share : undefined
}

/** Whether a picture has a short video in it, which is not protected. */
export function hasClip(hashed: Hashed | HashedVideoFile): boolean {
  return hashed.kind === 'hashed' && hashed.hasClip === true
}

export function isBusy({ state: { at } }: Picture): boolean {
  return at === 'waiting' || at === 'reading'
}

/** Whether a retry can succeed. */
export function mayTryAgain({ state }: Picture): boolean {
  return (
    state.at === 'stopped' ||
    (state.at === 'upload' && state.because === 'memory') ||
    (state.at === 'refused' && ['no-memory', 'too-slow', 'no-program', 'unreadable'].includes(state.why))
  )
}
