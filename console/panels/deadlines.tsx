// Overdue deadlines: platforms that got a match and a notice and did not report a decision in time.

import { imageReference } from '../../packages/core/src/ids.js'
import type { Api } from '../ask-api.js'
import { Bars } from '../chart.js'
import { Shown } from '../components.js'
import { sayMoment, sayName } from '../formats.js'
import { useLoaded } from '../load.js'
import { Table } from '../sorted-table.js'

interface Deadline {
  readonly signalId: string
  readonly platform: string
  readonly law: string
  readonly stage: string
  readonly dueAt: string
}

export function AllDeadlines({ api }: { api: Api }) {
  return <Deadlines api={api} path="/v1/deadlines/overdue?limit=1000" />
}

/** Of cases that name this organisation as their contact. */
export function OwnDeadlines({ api }: { api: Api }) {
  return <Deadlines api={api} path="/v1/deadlines/overdue/own?limit=1000" />
}

function Deadlines({ api, path }: { api: Api; path: string }) {
  const loaded = useLoaded<{ readonly deadlines: readonly Deadline[] }>(api, path)
  return (
    <Shown loaded={loaded}>
      {({ deadlines }) => (
        <>
          {deadlines.length > 0 && <Bars title="Overdue, by platform" bars={byPlatform(deadlines)} />}
          <Table
            caption="Overdue deadlines, the longest overdue first"
            name="overdue"
            empty="No deadline has passed."
            rows={deadlines}
            keyOf={({ signalId, platform, law, stage }) => `${signalId} ${platform} ${law} ${stage}`}
            columns={[
              { title: 'Platform', value: ({ platform }) => platform },
              { title: 'Law', value: ({ law }) => sayName(law) },
              { title: 'Stage', value: ({ stage }) => stage },
              { title: 'Was due', value: ({ dueAt }) => dueAt, cell: ({ dueAt }) => sayMoment(dueAt) },
              {
                title: 'Picture or video',
                value: ({ signalId }) => imageReference(signalId),
                cell: ({ signalId }) => <span class="whole">{imageReference(signalId)}</span>,
              },
            ]}
          />
        </>
      )}
    </Shown>
  )
}

function byPlatform(deadlines: readonly Deadline[]) {
  const counts = new Map<string, number>()
  for (const { platform } of deadlines) counts.set(platform, (counts.get(platform) ?? 0) + 1)
  return [...counts].map(([name, value]) => ({ name, parts: [{ name: 'overdue', value }] }))
}
