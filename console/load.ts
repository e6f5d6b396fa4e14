// An answer of the API as the state of a panel.

import { useEffect, useRef, useState } from 'preact/hooks'
import type { Api, Outcome } from './ask-api.js'

export interface Loaded<T> {
  /** The last answer; `undefined` before the first. */
  readonly value: T | undefined
  readonly problem: string | undefined
  readonly reload: () => Promise<void>
}

/** As `useLoaded`, for a list that is shown whole: follows `next` to the end. @param name of the list in the answer. */
export function useWholeList<Row, Name extends string>(
  api: Api,
  path: string,
  name: Name,
): Loaded<Record<Name, readonly Row[]>> {
  return useAnswer(api, path, async (): Promise<Outcome<Record<Name, readonly Row[]>>> => {
    const rows: Row[] = []
    for (let after = ''; ; ) {
      const outcome = await api.get<Record<Name, readonly Row[]> & { readonly next?: string | null }>(`${path}${after}`)
      if (!('value' in outcome)) return outcome
      rows.push(...outcome.value[name])
      const { next } = outcome.value
      if (typeof next !== 'string') return { ...outcome, value: { ...outcome.value, [name]: rows } }
      after = `?after=${encodeURIComponent(next)}`
    }
  })
}

export function useLoaded<T>(api: Api, path: string): Loaded<T> {
  return useAnswer(api, path, () => api.get<T>(path))
}

function useAnswer<T>(api: Api, path: string, get: () => Promise<Outcome<T>>): Loaded<T> {
  const [outcome, setOutcome] = useState<Outcome<T>>()
  const [last, setLast] = useState<T>()
  const latest = useRef(0)
  const reload = async () => {
    const own = ++latest.current
    const next = await get()
    if (own !== latest.current) return // what was asked later is what is shown
    setOutcome(next)
    if ('value' in next) setLast(next.value)
  }
  useEffect(() => {
    void reload()
  }, [api, path])
  return { value: last, problem: outcome !== undefined && 'problem' in outcome ? outcome.problem : undefined, reload }
}
