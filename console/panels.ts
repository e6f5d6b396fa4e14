// Which panels there are, and which of them a key sees.

import type { FunctionComponent } from 'preact'
import type { OrgKind, Scope } from '../src/domain/organisations/access.js'
import type { Api } from './ask-api.js'
import { AddFiles } from './panels/add-files.js'
import { Attestations } from './panels/attestations.js'
import { AuditTrail, Watch } from './panels/audit.js'
import { Banks } from './panels/banks.js'
import { AllDeadlines, OwnDeadlines } from './panels/deadlines.js'
import { Disputes } from './panels/disputes.js'
import { ImportFile } from './panels/import.js'
import { Keys } from './panels/keys.js'
import { Overview } from './panels/overview.js'
import { AllTraffic, OwnTraffic } from './panels/traffic.js'
import { Webhooks } from './panels/webhooks.js'

export interface Panel {
  readonly title: string
  /** A key without it does not see the panel. */
  readonly scope: Scope
  /** Where only organisations of one kind may do what the panel is for. */
  readonly kind?: OrgKind
  readonly View: FunctionComponent<{ readonly api: Api }>
}

const PANELS: readonly Panel[] = [
  { title: 'Overview', scope: 'admin', View: Overview },
  { title: 'All traffic', scope: 'admin', View: AllTraffic },
  { title: 'Your traffic', scope: 'match', View: OwnTraffic },
  { title: 'Banks', scope: 'signals:write', View: Banks },
  { title: 'Import', scope: 'signals:write', View: ImportFile },
  { title: 'Add pictures and videos', scope: 'signals:write', View: AddFiles },
  { title: 'Disputes', scope: 'admin', View: Disputes },
  { title: 'To attest', scope: 'cases:write', kind: 'ngo', View: Attestations },
  { title: 'Overdue', scope: 'admin', View: AllDeadlines },
  { title: 'Overdue for you', scope: 'cases:write', View: OwnDeadlines },
  { title: 'Webhooks', scope: 'webhooks', View: Webhooks },
  { title: 'Watch', scope: 'admin', View: Watch },
  { title: 'Keys', scope: 'admin', View: Keys },
  { title: 'Audit', scope: 'admin', View: AuditTrail },
]

export function panelsFor({
  scopes,
  kind,
}: {
  readonly scopes: readonly Scope[]
  readonly kind: OrgKind
}): readonly Panel[] {
  return PANELS.filter((panel) => scopes.includes(panel.scope) && (panel.kind ?? kind) === kind)
}
