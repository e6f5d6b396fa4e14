// Queries, matches and decisions day by day: of this organisation, or of all for the operator.

import { ownValue } from '../../packages/core/src/own-value.js'
import type { Api } from '../ask-api.js'
import { Bars, Columns } from '../chart.js'
import { Figures, Shown } from '../components.js'
import { sayName, sayNumber, sayShare } from '../formats.js'
import { useLoaded } from '../load.js'
import { Table } from '../sorted-table.js'

type Counts = Readonly<Record<string, number>>
interface Day {
  readonly day: string
  readonly pictures: number
  readonly videos: number
  /** Of both. */
  readonly found: number
  readonly grades: Counts
  readonly distances: Counts
  readonly verdicts: Counts
}

export function OwnTraffic({ api }: { api: Api }) {
  return <Traffic api={api} path="/v1/insights/days/own?days=30" />
}

export function AllTraffic({ api }: { api: Api }) {
  return <Traffic api={api} path="/v1/insights/days?days=30" />
}

function Traffic({ api, path }: { api: Api; path: string }) {
  const loaded = useLoaded<{ readonly days: readonly Day[] }>(api, path)
  return (
    <Shown loaded={loaded}>
      {({ days }) => {
        const asked = sum(days, askedAbout)
        const found = sum(days, (day) => day.found)
        const verdicts = together(days, (day) => day.verdicts)
        const decided = (verdicts['blocked'] ?? 0) + (verdicts['not-blocked'] ?? 0) + (verdicts['disputed'] ?? 0)
        return (
          <>
            <Figures
              figures={[
                { name: 'Pictures and videos asked about', value: sayNumber(asked) },
                { name: 'Found', value: sayNumber(found) },
                { name: 'Share found', value: sayShare(found, asked) },
                { name: 'Blocked, of what was decided', value: sayShare(verdicts['blocked'] ?? 0, decided) },
                { name: 'Disputed, of what was decided', value: sayShare(verdicts['disputed'] ?? 0, decided) },
              ]}
            />
            <Columns title="Found, day by day" columns={days.map((day) => ({ name: day.day, value: day.found }))} />
            <div class="two">
              <Bars title="Matches by distance in bits" bars={barsOf(together(days, (day) => day.distances))} />
              <Bars title="Matches by grade" bars={barsOf(together(days, (day) => day.grades))} />
              <Bars title="Decisions that were reported" bars={barsOf(verdicts)} />
            </div>
            <Table
              caption="By day, in UTC"
              name="days"
              rows={days.toReversed()}
              keyOf={({ day }) => day}
              columns={[
                { title: 'Day', value: ({ day }) => day, cell: ({ day }) => <span class="whole">{day}</span> },
                { title: 'Pictures', value: ({ pictures }) => pictures },
                { title: 'Videos', value: ({ videos }) => videos },
                { title: 'Found', value: ({ found: count }) => count },
                ...['exact', 'strong', 'near', 'review'].map((grade) => ({
                  title: grade,
                  value: ({ grades }: Day) => ownValue(grades, grade) ?? 0,
                })),
                ...['blocked', 'not-blocked', 'pending-review', 'disputed', 'auto-blocked'].map((verdict) => ({
                  title: sayName(verdict),
                  value: (day: Day) => ownValue(day.verdicts, verdict) ?? 0,
                })),
              ]}
            />
          </>
        )
      }}
    </Shown>
  )
}

function askedAbout({ pictures, videos }: Day): number {
  return pictures + videos
}

function sum(days: readonly Day[], of: (day: Day) => number): number {
  return days.reduce((all, day) => all + of(day), 0)
}

function together(days: readonly Day[], of: (day: Day) => Counts): Counts {
  const all = new Map<string, number>()
  for (const day of days) for (const [name, count] of Object.entries(of(day))) all.set(name, (all.get(name) ?? 0) + count)
  return Object.fromEntries(all)
}

function barsOf(counts: Counts) {
  return Object.entries(counts).map(([name, value]) => ({ name, parts: [{ name: 'all', value }] }))
}
