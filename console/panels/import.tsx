// A file of hashes into a bank, a thousand lines at a time: how far it is, what was refused, and stopping.

import { useEffect, useRef, useState } from 'preact/hooks'
import type { Api, Outcome } from '../api.js'
import { linesIn } from '../lines.js'
import { useLoaded } from '../load.js'
import { Figures, Shown } from '../parts.js'
import { Table } from '../table.js'
import { sayNumber } from '../words.js'

const LINES_AT_ONCE = 1000
/** More than anybody reads; how many there are is said all the same. */
const MOST_REFUSALS = 1000
const TRIES = 5
const WAIT_MS = 2000

interface Refusal {
  readonly line: number
  readonly why: string
}
interface Progress {
  readonly readBytes: number
  readonly sizeBytes: number
  readonly accepted: number
  readonly refused: number
  readonly refusals: readonly Refusal[]
  readonly state: 'running' | 'stopped' | 'done'
  readonly problem: string | undefined
}
interface Answer {
  readonly signals: readonly {
    readonly line?: number
    readonly state: string
    readonly problem?: { readonly title?: string }
  }[]
}
interface Bank {
  readonly bank: string
  readonly own: boolean
}

export function Import({ api }: { api: Api }) {
  const loaded = useLoaded<{ readonly banks: readonly Bank[] }>(api, '/v1/banks')
  const [progress, setProgress] = useState<Progress>()
  const stop = useRef(new AbortController())
  useEffect(() => () => stop.current.abort(), [])
  const begin = (event: SubmitEvent) => {
    event.preventDefault()
    const form = event.currentTarget
    if (!(form instanceof HTMLFormElement)) return
    const given = new FormData(form)
    const file = given.get('file')
    if (!(file instanceof File) || file.size === 0) return
    stop.current = new AbortController()
    void importFile(api, String(given.get('bank')), file, stop.current.signal, setProgress)
  }
  const isRunning = progress?.state === 'running'
  return (
    <Shown loaded={loaded}>
      {({ banks }) => {
        const own = banks.filter((bank) => bank.own)
        if (own.length === 0) return <p class="hint">Make a bank of your own first.</p>
        return (
          <>
            <form class="card" onSubmit={begin}>
              <div class="fields">
                <label>
                  Into{' '}
                  <select name="bank" disabled={isRunning}>
                    {own.map(({ bank }) => (
                      <option key={bank}>{bank}</option>
                    ))}
                  </select>
                </label>
                <label>
                  File <input name="file" type="file" required disabled={isRunning} />
                </label>
              </div>
              <p class="hint">
                A line of NDJSON for each signal, or of 64 hex digits. The same file again adds nothing twice, so what broke
                off is begun anew.
              </p>
              <button type="submit" disabled={isRunning}>
                Import it
              </button>{' '}
              {isRunning && (
                <button type="button" class="quiet" onClick={() => stop.current.abort()}>
                  Stop
                </button>
              )}
            </form>
            {progress !== undefined && <Progressing progress={progress} />}
          </>
        )
      }}
    </Shown>
  )
}

function Progressing({ progress }: { progress: Progress }) {
  const { readBytes, sizeBytes, accepted, refused, refusals, state, problem } = progress
  return (
    <>
      <p>
        <progress max={sizeBytes} value={readBytes} aria-label="How much of the file has been read" />{' '}
        <span role="status">{problem ?? { running: 'Being read', stopped: 'Stopped', done: 'Done' }[state]}</span>
      </p>
      <Figures
        figures={[
          { name: 'Accepted', value: sayNumber(accepted) },
          { name: 'Refused', value: sayNumber(refused) },
        ]}
      />
      {refused > 0 && (
        <Table
          caption={`Refused lines${refused > MOST_REFUSALS ? `, the first ${sayNumber(MOST_REFUSALS)}` : ''}`}
          name="refused"
          rows={refusals}
          keyOf={({ line }) => String(line)}
          columns={[
            { title: 'Line', value: ({ line }) => line },
            { title: 'Because', value: ({ why }) => why },
          ]}
        />
      )}
    </>
  )
}

/** Tells how far it is after each part. What cannot be sent after some tries ends it. */
async function importFile(
  api: Api,
  bank: string,
  file: File,
  signal: AbortSignal,
  tell: (progress: Progress) => void,
): Promise<void> {
  let progress: Progress = {
    ...{ readBytes: 0, sizeBytes: file.size, accepted: 0, refused: 0, refusals: [] },
    ...{ state: 'running', problem: undefined },
  }
  const told = (change: Partial<Progress>) => {
    progress = { ...progress, ...change }
    tell(progress)
  }
  told({})
  try {
    for await (const { text, count, numbers, readBytes } of linesIn(file, LINES_AT_ONCE)) {
      if (signal.aborted) return told({ state: 'stopped' })
      const outcome = await sent(api, `/v1/banks/${encodeURIComponent(bank)}/signals`, text)
      // Refused as a whole: by the first of its lines, and all others alike.
      if ('problem' in outcome && ![400, 422].includes(outcome.status))
        return told({ state: 'stopped', problem: outcome.problem })
      const lines = 'value' in outcome ? outcome.value.signals.filter(({ state }) => state === 'refused') : undefined
      const refusals =
        lines?.map(({ line, problem }) => ({ line: numbers[(line ?? 1) - 1] ?? 0, why: problem?.title ?? 'refused' })) ??
        numbers.map((line) => ({ line, why: 'problem' in outcome ? outcome.problem : 'refused' }))
      told({
        readBytes,
        accepted: progress.accepted + count - refusals.length,
        refused: progress.refused + refusals.length,
        refusals: [...progress.refusals, ...refusals].slice(0, MOST_REFUSALS),
      })
    }
    told({ state: 'done', readBytes: file.size })
  } catch {
    told({ state: 'stopped', problem: 'The file cannot be read any more. Choose it again.' })
  }
}

/** The same lines once more do no harm, so what was not answered is sent again. */
async function sent(api: Api, path: string, text: string): Promise<Outcome<Answer>> {
  for (let tries = 1; ; tries++) {
    const outcome = await api.upload<Answer>(path, 'application/x-ndjson', new Blob([text]))
    if ('value' in outcome || tries === TRIES || (outcome.status !== 0 && outcome.status < 500)) return outcome
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS * tries))
  }
}
