// Small parts that panels share.

import type { ComponentChildren } from 'preact'
import { useContext, useState } from 'preact/hooks'
import type { Loaded } from './load.js'
import { Refusal } from './refusal.js'

/** What was loaded, or that it is being loaded, or why it cannot be. */
export function Shown<T>({ loaded, children }: { loaded: Loaded<T>; children: (value: T) => ComponentChildren }) {
  return (
    <>
      {loaded.problem !== undefined && (
        <p class="error" role="alert">
          {loaded.problem}{' '}
          <button type="button" class="small quiet" onClick={() => void loaded.reload()}>
            Try again
          </button>
        </p>
      )}
      {loaded.value === undefined ? loaded.problem === undefined && <p class="hint">Loading …</p> : children(loaded.value)}
    </>
  )
}

export interface ConfirmProps {
  readonly label: string
  /** The question that is asked before it is done. */
  readonly question: string
  readonly isGrave?: boolean
  /** @returns why it was not done, if it was not. */
  readonly act: () => Promise<string | undefined>
}

/** A button that asks once more before it acts. */
export function ConfirmButton({ label, question, isGrave = false, act }: ConfirmProps) {
  const [at, setAt] = useState<'rest' | 'asked' | 'acting'>('rest')
  const refuse = useContext(Refusal)
  const go = async () => {
    setAt('acting')
    refuse(undefined)
    const why = await act()
    if (why !== undefined) refuse(`${label}: ${why}`)
    setAt('rest')
  }
  if (at === 'rest')
    return (
      <button type="button" class="small" onClick={() => setAt('asked')}>
        {label}
      </button>
    )
  return (
    <fieldset class="sure">
      <legend>{question}</legend>
      <button
        type="button"
        class={isGrave ? 'small danger' : 'small main'}
        disabled={at === 'acting'}
        onClick={() => void go()}
      >
        Yes
      </button>
      <button
        type="button"
        class="small quiet"
        disabled={at === 'acting'}
        ref={(it) => it?.focus()}
        onClick={() => setAt('rest')}
      >
        No
      </button>
    </fieldset>
  )
}

/** Numbers that stand for themselves. */
export function Figures({ figures }: { figures: readonly { readonly name: string; readonly value: string }[] }) {
  return (
    <dl class="figures">
      {figures.map(({ name, value }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

export interface RunButtonsProps {
  readonly label: string
  readonly isRunning: boolean
  readonly stop: () => void
}

/** The button of a form whose work takes a while, and one that stops it. */
export function RunButtons({ label, isRunning, stop }: RunButtonsProps) {
  return (
    <p class="buttons">
      <button type="submit" disabled={isRunning}>
        {label}
      </button>{' '}
      {isRunning && (
        <button type="button" class="quiet" onClick={stop}>
          Stop
        </button>
      )}
    </p>
  )
}

export interface ProgressProps {
  /** What is measured. */
  readonly label: string
  readonly done: number
  readonly of: number
  /** In words. */
  readonly text: string
}

export function Progress({ label, done, of, text }: ProgressProps) {
  return (
    <p>
      <progress max={of} value={done} aria-label={label} /> <span role="status">{text}</span>
    </p>
  )
}
