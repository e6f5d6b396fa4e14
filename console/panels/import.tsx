// Imports a file of hashes into a bank: progress, refused lines, a way to stop, and earlier imports.

import { useEffect, useRef, useState } from 'preact/hooks'
import { SHORTER_LINES } from '../../src/domain/organisations/bank-import.js'
import type { Api } from '../ask-api.js'
import { Figures, Progress, RunButtons, Shown } from '../components.js'
import { useDrops } from '../drops.js'
import { sendFile } from '../file-sending.js'
import { sayMoment, sayName, sayNumber } from '../formats.js'
import { refusalOf } from '../import-check.js'
import { useLoaded } from '../load.js'
import { BankChoice, type BankChoiceProps, OwnBanks } from '../own-banks.js'
import { Table } from '../sorted-table.js'

const LOOK_INTERVAL_MS = 1000

interface Import {
  readonly importId: string
  readonly state: 'running' | 'stopped' | 'done'
  readonly problem: string | null
  readonly startedAt: string
  readonly updatedAt: string
  readonly lines: number
  readonly accepted: number
  readonly removed: number
  readonly categoriesIgnored: number
  readonly rejected: number
}
interface Report extends Import {
  readonly rejections: readonly { readonly fromLine: number; readonly toLine: number; readonly reason: string }[]
}
interface ImportProgress {
  readonly sentBytes: number
  readonly sizeBytes: number
  readonly state: 'running' | 'stopped' | 'done'
  readonly problem: string | undefined
  readonly counts: Import | undefined
  readonly report: Report | undefined
}
export function ImportFile({ api }: { api: Api }) {
  return <OwnBanks api={api}>{(banks, first) => <IntoBank {...{ api, banks, first }} />}</OwnBanks>
}

function IntoBank({ api, banks, first }: { api: Api; banks: readonly string[]; first: string }) {
  const [bank, setBank] = useState(first)
  const [progress, setProgress] = useState<ImportProgress>()
  const [refusal, setRefusal] = useState<string>()
  useDrops()
  const path = `/v1/banks/${encodeURIComponent(bank)}/imports`
  const before = useLoaded<{ readonly imports: readonly Import[] }>(api, path)
  const stop = useRef(new AbortController())
  useEffect(() => () => stop.current.abort(), [])
  const begin = async (event: SubmitEvent) => {
    event.preventDefault()
    const form = event.currentTarget
    const file = form instanceof HTMLFormElement ? new FormData(form).get('file') : undefined
    if (!(file instanceof File) || file.size === 0) return
    const refusal = await refusalOf(file).catch(() => 'This file cannot be read any more. Choose it again.')
    setRefusal(refusal)
    if (refusal !== undefined) return
    stop.current = new AbortController()
    await importFile(api, path, file, stop.current.signal, setProgress)
    await before.reload()
  }
  const isRunning = progress?.state === 'running'
  return (
    <>
      <ImportForm
        {...{ bank, banks, setBank, isRunning, refusal }}
        onSubmit={begin}
        onStop={() => stop.current.abort()}
        onFile={() => setRefusal(undefined)}
      />
      {progress !== undefined && <Progressing progress={progress} />}
      <Shown loaded={before}>{({ imports }) => <ImportTable bank={bank} imports={imports} />}</Shown>
    </>
  )
}

interface ImportFormProps extends BankChoiceProps {
  readonly refusal: string | undefined
  readonly onSubmit: (event: SubmitEvent) => Promise<void>
  readonly onStop: () => void
  readonly onFile: () => void
}

function ImportForm({ bank, banks, setBank, isRunning, refusal, onSubmit, onStop, onFile }: ImportFormProps) {
  return (
    <form class="card" onSubmit={(event) => void onSubmit(event)}>
      <div class="fields">
        <BankChoice {...{ bank, banks, setBank, isRunning }} />
        <label>
          File: choose it, or drop it here
          <input
            name="file"
            type="file"
            required
            disabled={isRunning}
            aria-describedby="import-forms import-refusal"
            onChange={onFile}
          />
        </label>
      </div>
      <p id="import-refusal" class="error" role="alert">
        {refusal}
      </p>
      <div id="import-forms">
        <Forms />
      </div>
      <RunButtons label="Import it" isRunning={isRunning} stop={onStop} />
    </form>
  )
}

function ImportTable({ bank, imports }: { bank: string; imports: readonly Import[] }) {
  return (
    <Table
      caption={`Files of the last 30 days into ${bank}`}
      name="imports"
      rows={imports}
      keyOf={({ importId }) => importId}
      empty="No file has been imported into this bank in the last 30 days."
      columns={[
        { title: 'Started', value: ({ startedAt }) => startedAt, cell: ({ startedAt }) => sayMoment(startedAt) },
        {
          title: 'State',
          value: ({ state, problem }) => (problem === null ? state : `${state}: ${sayName(problem)}`),
        },
        { title: 'Lines', value: ({ lines }) => lines, cell: ({ lines }) => sayNumber(lines) },
        { title: 'Accepted', value: ({ accepted }) => accepted, cell: ({ accepted }) => sayNumber(accepted) },
        { title: 'Removed', value: ({ removed }) => removed, cell: ({ removed }) => sayNumber(removed) },
        { title: 'Rejected', value: ({ rejected }) => rejected, cell: ({ rejected }) => sayNumber(rejected) },
      ]}
    />
  )
}

/** What the service reads: `src/exchange/signal-lines.ts`. */
function Forms() {
  return (
    <>
      <p>The file is one of these, packed with gzip or not:</p>
      <ul>
        <li>
          CSV with a header. Columns: <code>signal_str</code> (or <code>hash</code>), 64 hex digits, required;{' '}
          <code>signal_type</code> (or <code>type</code>), such as <code>pdq</code>; <code>quality</code>, 0 to 100;{' '}
          <code>category</code>; <code>tags</code>.
        </li>
        <li>
          Text, one hash a line: 64 hex digits, or <code>pdq</code> and 64 hex digits.
        </li>
        <li>
          NDJSON as <code>tabir export</code> writes it.
        </li>
      </ul>
      <p class="hint">Importing the same file again adds nothing twice, so an import that broke off can be repeated.</p>
    </>
  )
}

function Progressing({ progress }: { progress: ImportProgress }) {
  const { sentBytes, sizeBytes, state, problem, counts, report } = progress
  return (
    <>
      <Progress
        label="How much of the file has been sent"
        done={sentBytes}
        of={sizeBytes}
        text={problem ?? { running: 'Sending', stopped: 'Stopped', done: 'Done' }[state]}
      />
      {counts !== undefined && (
        <Figures
          figures={[
            { name: 'Accepted', value: sayNumber(counts.accepted) },
            { name: 'Removed', value: sayNumber(counts.removed) },
            { name: 'Rejected', value: sayNumber(counts.rejected) },
            ...(counts.categoriesIgnored > 0
              ? [{ name: 'Added without their unknown category', value: sayNumber(counts.categoriesIgnored) }]
              : []),
          ]}
        />
      )}
      {report?.rejections.some(({ reason }) => reason === 'record-too-long') === true && <p>{SHORTER_LINES}</p>}
      {report !== undefined && report.rejections.length > 0 && (
        <Table
          caption="Rejected lines"
          name="rejected"
          rows={report.rejections}
          keyOf={({ fromLine }) => String(fromLine)}
          columns={[
            {
              title: 'Lines',
              value: ({ fromLine }) => fromLine,
              cell: ({ fromLine, toLine }) => (fromLine === toLine ? fromLine : `${fromLine}–${toLine}`),
            },
            { title: 'Because', value: ({ reason }) => sayName(reason) },
          ]}
        />
      )}
    </>
  )
}

/** Sends the file and reports progress until the answer: bytes sent, and lines that the service has processed. */
async function importFile(
  api: Api,
  path: string,
  file: File,
  signal: AbortSignal,
  tell: (progress: ImportProgress) => void,
): Promise<void> {
  let progress: ImportProgress = {
    ...{ sentBytes: 0, sizeBytes: file.size, state: 'running', problem: undefined, counts: undefined, report: undefined },
  }
  const told = (change: Partial<ImportProgress>) => {
    progress = { ...progress, ...change }
    tell(progress)
  }
  told({})
  const known = await newestOf(api, path)
  const looking = setInterval(() => {
    void newestOf(api, path).then((newest) => {
      if (progress.state === 'running' && newest?.importId !== known?.importId) told({ counts: newest })
    })
  }, LOOK_INTERVAL_MS)
  const outcome = await sendFile<Report>(api, path, file, signal, (sentBytes) => told({ sentBytes }))
  clearInterval(looking)
  if (outcome === undefined) told({ state: 'stopped' })
  else if ('problem' in outcome) told({ state: 'stopped', problem: outcome.problem })
  else told({ state: 'done', sentBytes: file.size, counts: outcome.value, report: outcome.value })
}

async function newestOf(api: Api, path: string): Promise<Import | undefined> {
  const outcome = await api.get<{ readonly imports: readonly Import[] }>(path)
  return 'value' in outcome ? outcome.value.imports[0] : undefined
}
