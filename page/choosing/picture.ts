// A chosen file and its state.

import type { UnreadKind } from '../../src/domain/media/media-formats.js'
import type { Hashed, Reason } from '../hashing/outcome.js'

export type PictureState =
  | { readonly at: 'waiting' | 'reading' | 'stopped' }
  | { readonly at: 'ready'; readonly hashed: Hashed }
  /** This browser cannot open it. The page offers to upload it and says why, if there is a known reason. */
  | { readonly at: 'upload'; readonly because?: 'animated' | 'memory' }
  /** The submitter agreed to the upload. */
  | { readonly at: 'agreed' }
  | { readonly at: 'refused'; readonly why: Exclude<Reason, 'twice'>; readonly what?: UnreadKind }
  /** It has the same hashes as the chosen picture `duplicateOf`, so registering that one protects both. */
  | { readonly at: 'refused'; readonly why: 'twice'; readonly duplicateOf: number }

export interface Picture {
  readonly id: number
  /** Shown on this device and sent nowhere. */
  readonly name: string
  readonly file: File
  readonly state: PictureState
}

/** A picture that can be registered: by its hashes, or by uploading the file. */
export type Usable =
  | { readonly id: number; readonly name: string; readonly hashed: Hashed }
  | { readonly id: number; readonly name: string; readonly file: File }

export function usableOf({ id, name, file, state }: Picture): Usable[] {
  if (state.at === 'ready') return [{ id, name, hashed: state.hashed }]
  return state.at === 'agreed' ? [{ id, name, file }] : []
}

/** Neither usable nor a copy of a usable one. */
export function isUnprotected(picture: Picture): boolean {
  const { state } = picture
  return usableOf(picture).length === 0 && !(state.at === 'refused' && state.why === 'twice')
}

/** PDQ quality from which screenshots of a picture are usually found. */
export const WELL_PROTECTED_QUALITY = 80

export function isBusy({ state: { at } }: Picture): boolean {
  return at === 'waiting' || at === 'reading'
}

/** Can a retry succeed? */
export function mayTryAgain({ state }: Picture): boolean {
  return (
    state.at === 'stopped' ||
    (state.at === 'upload' && state.because === 'memory') ||
    (state.at === 'refused' && ['no-memory', 'too-slow', 'no-program', 'unreadable'].includes(state.why))
  )
}
