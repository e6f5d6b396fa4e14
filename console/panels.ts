// Which panels there are. A key sees those whose route it may ask.

import type { FunctionComponent } from 'preact'
import type { Api } from './api.js'
import { Attestations } from './panels/attestations.js'
import { AuditTrail, Watch } from './panels/audit.js'
import { Banks } from './panels/banks.js'
import { AllClocks, OwnClocks } from './panels/clocks.js'
import { Disputes } from './panels/disputes.js'
import { ImportFile } from './panels/import.js'
import { Keys } from './panels/keys.js'
import { Overview } from './panels/overview.js'
import { AllTraffic, OwnTraffic } from './panels/traffic.js'
import { Webhooks } from './panels/webhooks.js'

export interface Panel {
  readonly title: string
  /** Asked once at signing in: answered with 403, the panel is not for this key. */
  readonly probe: string
  readonly View: FunctionComponent<{ readonly api: Api }>
}

export const PANELS: readonly Panel[] = [
  { title: 'Overview', probe: '/v1/insights/registry', View: Overview },
  { title: 'All traffic', probe: '/v1/insights/days?days=1', View: AllTraffic },
  { title: 'Your traffic', probe: '/v1/insights/days/own?days=1', View: OwnTraffic },
  { title: 'Banks', probe: '/v1/banks', View: Banks },
  { title: 'Import', probe: '/v1/banks', View: ImportFile },
  { title: 'Disputes', probe: '/v1/disputes?limit=1', View: Disputes },
  { title: 'To vouch for', probe: '/v1/attestations/waiting?limit=1', View: Attestations },
  { title: 'Overdue', probe: '/v1/clocks/overdue?limit=1', View: AllClocks },
  { title: 'Overdue for you', probe: '/v1/clocks/overdue/own?limit=1', View: OwnClocks },
  { title: 'Webhooks', probe: '/v1/webhooks', View: Webhooks },
  { title: 'Watch', probe: '/v1/events?limit=1', View: Watch },
  { title: 'Keys', probe: '/v1/keys', View: Keys },
  { title: 'Audit', probe: '/v1/audit?limit=1', View: AuditTrail },
]
