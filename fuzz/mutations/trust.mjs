// Mutations of the flood guard where it stops one view of a signal.

import { inFile } from './in-file.mjs'

const mutations = [
  inFile(
    'src/domain/trust/flood.ts',
    [
      ['looks: looks - ofStopped', 'looks'],
      ['uploads: uploads - ofStopped', 'uploads'],
      ['>= SHARE_OF_VIEW * looks', '> SHARE_OF_VIEW * looks'],
      ['stopped.length < MAX_STOPPED_VIEWS', 'true'],
      ['.filter(([view]) => !stopped.includes(view))', ''],
    ],
    ['domain/flood'],
  ),
  inFile(
    'src/domain/trust/trust.ts',
    [
      ["heldFor === 'decoration' && !stoppedViews", 'heldFor === undefined && !stoppedViews'],
      ['stoppedViews: [], flood: 0', 'flood: 0'],
    ],
    ['domain/trust'],
  ),
  inFile(
    'src/services/matching/stopped-views.ts',
    [
      ['found.length > 0 && found.every', 'found.some'],
      ['deciding.size !== 1', 'deciding.size < 1'],
      [" || only?.view === 'whole'", ''],
      ['stopped.includes(viewIdOf(imageId, row))', "stopped.includes(viewIdOf('', row))"],
      ['agreement !== undefined && agreement.surplusBits >= 0', 'false'],
      [" || told.views.registered === 'whole'", ''],
    ],
    ['services/stopped-views'],
  ),
  inFile('src/services/matching/match-by-details.ts', [[' && !isStopped(ordinal)', '']], ['services/stopped-views']),
  inFile(
    'src/services/matching/match-by-hashes.ts',
    [[' || isStopped(image.id, hit, type, hash)', '']],
    ['services/stopped-views'],
  ),
  inFile('src/services/feed/feed-lines.ts', [['!isStopped(signal)', 'true']], ['http/floods']),
  inFile('packages/feed/src/held.ts', [['entry.signal.narrowed && !isCopy', 'false && !isCopy']], ['feed/held-videos']),
].flat()

export const trust = { mutations }
