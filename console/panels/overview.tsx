// How much is registered, and of what kind.

import { CATEGORY_NAMES, TIER_NAMES } from '../../packages/core/src/matching/signal.js'
import type { Api } from '../ask-api.js'
import { Bars } from '../chart.js'
import { Figures, Shown } from '../components.js'
import { sayMoment, sayName, sayNumber } from '../formats.js'
import { useLoaded } from '../load.js'
import { Table } from '../sorted-table.js'

interface Group {
  readonly bank: string
  readonly tier: string
  readonly category: string | null
  readonly disputed: boolean
  readonly images: number
}
interface Registry {
  readonly countedAt: string
  readonly images: number
  readonly silent: number
  readonly signals: Readonly<Record<string, number>>
  readonly groups: readonly Group[]
}

export function Overview({ api }: { api: Api }) {
  const loaded = useLoaded<Registry>(api, '/v1/insights/registry')
  return (
    <Shown loaded={loaded}>
      {({ countedAt, images, silent, signals, groups }) => (
        <>
          <Figures
            figures={[
              { name: 'Pictures and videos that match', value: sayNumber(images) },
              { name: 'Kept, not matching', value: sayNumber(silent) },
              { name: 'Disputed', value: sayNumber(sum(groups.filter(({ disputed }) => disputed))) },
              { name: 'Hashes', value: sayNumber(Object.values(signals).reduce((all, count) => all + count, 0)) },
            ]}
          />
          <div class="two">
            <Bars
              title="Pictures and videos by tier, and what they show"
              bars={TIER_NAMES.map((tier) => ({
                name: sayName(tier),
                parts: [...CATEGORY_NAMES, null].map((category) => ({
                  name: sayName(category),
                  value: sum(groups.filter((group) => group.tier === tier && group.category === category)),
                })),
              }))}
            />
            <Bars
              title="Hashes by type"
              bars={Object.entries(signals).map(([name, value]) => ({ name, parts: [{ name: 'hashes', value }] }))}
            />
          </div>
          <Table
            caption="Pictures and videos by bank, tier and category"
            empty="Nothing is registered."
            name="registry"
            rows={groups}
            keyOf={({ bank, tier, category, disputed }) => `${bank} ${tier} ${category} ${disputed}`}
            columns={[
              { title: 'Bank', value: ({ bank }) => bank },
              { title: 'Tier', value: ({ tier }) => sayName(tier) },
              { title: 'Shows', value: ({ category }) => sayName(category) },
              { title: 'Disputed', value: ({ disputed }) => (disputed ? 'yes' : 'no') },
              { title: 'Number', value: ({ images: count }) => count, cell: ({ images: count }) => sayNumber(count) },
            ]}
          />
          <p class="hint">Counted {sayMoment(countedAt)} by the process that answered.</p>
        </>
      )}
    </Shown>
  )
}

function sum(groups: readonly Group[]): number {
  return groups.reduce((all, { images }) => all + images, 0)
}
