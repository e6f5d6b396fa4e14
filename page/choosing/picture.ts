// A file that was chosen, and its state.

import type { UnreadKind } from '../../src/domain/media/media-formats.js'
import type { Hashed, Reason } from '../hashing/outcome.js'

export type PictureState =
  | { readonly at: 'waiting' | 'reading' | 'stopped' }
  | { readonly at: 'ready'; readonly hashed: Hashed }
  /** This browser cannot open it, and why where there is more to say; it asks to be sent. */
  | { readonly at: 'upload'; readonly because?: 'animated' | 'memory' }
  /** She agreed to have it sent. */
  | { readonly at: 'agreed' }
  | { readonly at: 'refused'; readonly why: Exclude<Reason, 'twice'>; readonly what?: UnreadKind }
  /** The same as another one that was chosen, which stands for both. */
  | { readonly at: 'refused'; readonly why: 'twice'; readonly of: number }

export interface Picture {
  readonly id: number
  /** Shown on this device and sent nowhere. */
  readonly name: string
  readonly file: File
  readonly state: PictureState
}

/** What can be protected: by its hashes, or by sending it. */
export type Usable =
  | { readonly id: number; readonly name: string; readonly hashed: Hashed }
  | { readonly id: number; readonly name: string; readonly file: File }

export function usableOf({ id, name, file, state }: Picture): Usable[] {
  if (state.at === 'ready') return [{ id, name, hashed: state.hashed }]
  return state.at === 'agreed' ? [{ id, name, file }] : []
}

/** Chosen, and neither usable nor a copy of one that is: nothing protects it. */
export function isLeftOver(picture: Picture): boolean {
  const { state } = picture
  return usableOf(picture).length === 0 && !(state.at === 'refused' && state.why === 'twice')
}

/** PDQ's measure from which screenshots of a picture are found as a rule. */
export const WELL_PROTECTED_QUALITY = 80

export function isBusy({ state: { at } }: Picture): boolean {
  return at === 'waiting' || at === 'reading'
}

/** May another try end differently? */
export function mayTryAgain({ state }: Picture): boolean {
  return (
    state.at === 'stopped' ||
    (state.at === 'upload' && state.because === 'memory') ||
    (state.at === 'refused' && ['no-memory', 'too-slow', 'no-program', 'unreadable'].includes(state.why))
  )
}
