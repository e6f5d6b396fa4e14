// Adds pictures and videos to a bank by hashes that this device computes, and says of each file what became of it.

import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { MAX_FILES } from '../../page/choosing/picture.js'
import { type Adding, createAdding, type FileState } from '../adding.js'
import type { Api } from '../ask-api.js'
import { Progress, RunButtons } from '../components.js'
import { useDrops } from '../drops.js'
import { sayNumber } from '../formats.js'
import { BankChoice, OwnBanks } from '../own-banks.js'
import { Table } from '../sorted-table.js'

/** What the service takes. */
const MAX_REF_BYTES = 255

interface Row {
  readonly id: number
  /** Shown on this device and sent nowhere. */
  readonly name: string
  readonly state: FileState
}

export function AddFiles({ api }: { api: Api }) {
  return <OwnBanks api={api}>{(banks, first) => <ToBank {...{ api, banks, first }} />}</OwnBanks>
}

function ToBank({ api, banks, first }: { api: Api; banks: readonly string[]; first: string }) {
  const [bank, setBank] = useState(first)
  const [refusal, setRefusal] = useState<string>()
  const { rows, isRunning, begin, again, stop } = useAdding(api)
  useDrops()
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    if (!(event.currentTarget instanceof HTMLFormElement)) return
    const given = new FormData(event.currentTarget)
    const files = given.getAll('file').filter((file) => file instanceof File)
    const ref = String(given.get('ref') ?? '').trim()
    const refusal = refusalOf(files, ref)
    setRefusal(refusal)
    if (refusal === undefined) void begin(files, bank, ref === '' ? undefined : ref)
  }
  return (
    <>
      <form class="card" onSubmit={submit}>
        <div class="fields">
          <BankChoice {...{ bank, banks, setBank, isRunning }} />
          <label>
            Reference for all of them, if you have one
            <input name="ref" maxlength={200} autocomplete="off" disabled={isRunning} />
          </label>
          <label>
            Files: choose them, or drop them here
            <input name="file" type="file" multiple required disabled={isRunning} aria-describedby="add-what add-refusal" />
          </label>
        </div>
        <p id="add-refusal" class="error" role="alert">
          {refusal}
        </p>
        <p id="add-what">
          This device hashes the files. Only hashes are sent: pictures, videos and their names stay here. Up to{' '}
          {sayNumber(MAX_FILES)} files at a time; videos as MP4, MOV, WebM or MKV, up to 10 minutes and 500 MB.
        </p>
        <p class="hint">
          Leaving this panel stops it, and so does signing out, also after 15 minutes without a click or a key. What was
          added stays; the same file with the same reference is not added twice.
        </p>
        <RunButtons label="Hash and add" {...{ isRunning, stop }} />
      </form>
      {rows.length > 0 && <Files {...{ rows, isRunning, again }} />}
    </>
  )
}

function refusalOf(files: readonly File[], ref: string): string | undefined {
  if (files.length > MAX_FILES) return `Choose at most ${sayNumber(MAX_FILES)} files at a time. Nothing was read.`
  return new TextEncoder().encode(ref).length > MAX_REF_BYTES ? 'Choose a shorter reference. Nothing was read.' : undefined
}

function useAdding(api: Api) {
  const [rows, setRows] = useState<readonly Row[]>([])
  const [isRunning, setIsRunning] = useState(false)
  const running = useRef<{ readonly adding: Adding; readonly stop: AbortController }>(undefined)
  // Before the next paint, unlike `useEffect`: after signing out no worker may read on.
  useLayoutEffect(() => () => running.current?.stop.abort(), [])
  const run = async (work: () => Promise<void>) => {
    setIsRunning(true)
    await work()
    setIsRunning(false)
  }
  return {
    rows,
    isRunning,
    begin(files: readonly File[], bank: string, ref: string | undefined) {
      const stop = new AbortController()
      const tell = (at: number, state: FileState) =>
        setRows((before) => before.map((row) => (row.id === at ? { ...row, state } : row)))
      const adding = createAdding({ api, bank, ref, signal: stop.signal, tell })
      running.current = { adding, stop }
      setRows(files.map(({ name }, id) => ({ id, name, state: { at: 'busy', text: '' } })))
      return run(() => adding.add(files))
    },
    again: () => run(async () => running.current?.adding.sendAgain()),
    stop: () => running.current?.stop.abort(),
  }
}

interface FilesProps {
  readonly rows: readonly Row[]
  readonly isRunning: boolean
  readonly again: () => Promise<void>
}

function Files({ rows, isRunning, again }: FilesProps) {
  const countOf = (at: FileState['at']) => rows.filter(({ state }) => state.at === at).length
  const [added, busy, unsent] = [countOf('added'), countOf('busy'), countOf('unsent')]
  const rest = rows.length - added - busy
  const text = `${sayNumber(added)} of ${sayNumber(rows.length)} added${rest === 0 ? '' : `, ${sayNumber(rest)} not`}`
  return (
    <>
      <Progress
        label="How many files are done"
        done={rows.length - busy}
        of={rows.length}
        text={isRunning ? text : `Done: ${text}`}
      />
      {unsent > 0 && !isRunning && (
        <p>
          {sayNumber(unsent)} hashed and not added.{' '}
          <button type="button" class="small" onClick={() => void again()}>
            Send again
          </button>
        </p>
      )}
      <Table
        caption="Chosen files"
        name="files"
        rows={rows}
        keyOf={({ id }) => String(id)}
        columns={[
          { title: 'File', value: ({ name }) => name, cell: ({ name }) => <span class="name">{name}</span> },
          { title: 'State', value: ({ state }) => state.text },
        ]}
      />
    </>
  )
}
