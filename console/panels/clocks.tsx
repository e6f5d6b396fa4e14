// Clocks that have run out: platforms that were told of a match and have not said in time what they decided.

import { imageReference } from '../../src/domain/ids.js'
import type { Api } from '../api.js'
import { Bars } from '../chart.js'
import { useLoaded } from '../load.js'
import { Shown } from '../parts.js'
import { Table } from '../table.js'
import { sayMoment, sayName } from '../words.js'

interface Clock {
  readonly signalId: string
  readonly platform: string
  readonly law: string
  readonly stage: string
  readonly dueAt: string
}

export function AllClocks({ api }: { api: Api }) {
  return <Clocks api={api} path="/v1/clocks/overdue?limit=1000" />
}

/** Of cases that name this organisation as their contact. */
export function OwnClocks({ api }: { api: Api }) {
  return <Clocks api={api} path="/v1/clocks/overdue/own?limit=1000" />
}

function Clocks({ api, path }: { api: Api; path: string }) {
  const loaded = useLoaded<{ readonly clocks: readonly Clock[] }>(api, path)
  return (
    <Shown loaded={loaded}>
      {({ clocks }) => (
        <>
          {clocks.length > 0 && <Bars title="Overdue, by platform" bars={byPlatform(clocks)} />}
          <Table
            caption="Overdue clocks, the longest overdue first"
            name="overdue"
            empty="No clock has run out."
            rows={clocks}
            keyOf={({ signalId, platform, law, stage }) => `${signalId} ${platform} ${law} ${stage}`}
            columns={[
              { title: 'Platform', value: ({ platform }) => platform },
              { title: 'Law', value: ({ law }) => sayName(law) },
              { title: 'Stage', value: ({ stage }) => stage },
              { title: 'Was due', value: ({ dueAt }) => dueAt, cell: ({ dueAt }) => sayMoment(dueAt) },
              {
                title: 'Picture',
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

function byPlatform(clocks: readonly Clock[]) {
  const counts = new Map<string, number>()
  for (const { platform } of clocks) counts.set(platform, (counts.get(platform) ?? 0) + 1)
  return [...counts].map(([name, value]) => ({ name, parts: [{ name: 'overdue', value }] }))
}
