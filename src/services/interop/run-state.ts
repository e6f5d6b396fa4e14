// How far a run of a reconciler has come with one bank, saved after every step.

import type { ReconcileCursor, ReconcileProgress } from '../../domain/organisations/reconciler.js'
import type { Became, ReconcilerState, Reconcilers as ReconcilerStore } from '../../store/exchange/reconcilers.js'

export interface RunState {
  readonly current: ReconcilerState
  /** Changes the given fields and saves the state. @param became pairs of an image and the HMA's content that has it. */
  note(
    change: { readonly place?: Partial<ReconcileCursor>; readonly progress?: Partial<ReconcileProgress> },
    became?: readonly Became[],
  ): Promise<void>
}

export function createRunState(
  states: Pick<ReconcilerStore, 'save'>,
  name: string,
  from: ReconcilerState,
  now: () => number,
): RunState {
  let state = from
  return {
    get current() {
      return state
    },
    async note(change, became = []) {
      state = {
        ...state,
        place: { ...state.place, ...change.place },
        progress: { ...state.progress, updatedAtMs: now(), ...change.progress },
      }
      await states.save(name, state, became)
    },
  }
}
