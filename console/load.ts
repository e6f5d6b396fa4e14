// An answer of the API as the state of a panel.

import { useEffect, useRef, useState } from 'preact/hooks'
import type { Api, Outcome } from './api.js'

export interface Loaded<T> {
  /** The last answer; `undefined` before the first. */
  readonly value: T | undefined
  readonly problem: string | undefined
  readonly reload: () => Promise<void>
}

export function useLoaded<T>(api: Api, path: string): Loaded<T> {
  const [outcome, setOutcome] = useState<Outcome<T>>()
  const [last, setLast] = useState<T>()
  const latest = useRef(0)
  const reload = async () => {
    const own = ++latest.current
    const next = await api.get<T>(path)
    if (own !== latest.current) return // what was asked later is what is shown
    setOutcome(next)
    if ('value' in next) setLast(next.value)
  }
  useEffect(() => {
    void reload()
  }, [api, path])
  return { value: last, problem: outcome !== undefined && 'problem' in outcome ? outcome.problem : undefined, reload }
}
