// Mutations of the rules against many wrong flags: the flood guard, its stopping of one view, and grades per upload.

import { inFile } from './in-file.mjs'

/** Grades that hold for each upload (`grading=per-upload`). */
const STRICT = ['domain/registry-size', 'services/per-upload', 'services/recent-images']

/** Distances that are blurred. */
const BLUR = ['services/blur']

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
      ['stopped.some(isFound) && !active.some(isFound)', 'stopped.some(isFound)'],
      ['stopped.some(isFound) && !active.some(isFound)', '!active.some(isFound)'],
      ['deciding.size !== 1', 'deciding.size < 1'],
      [" || only?.view === 'whole'", ''],
      ['ids.includes(viewIdOf(imageId, row))', "ids.includes(viewIdOf('', row))"],
      [': rowsOf(image, imageId, ids).active', ': searcher.viewsOf(image, type)'],
      ['agreement !== undefined && agreement.surplusBits >= 0', 'false'],
      [" || reported.views.registered === 'whole'", ''],
    ],
    ['services/stopped-views'],
  ),
  inFile('src/services/matching/details/match-by-details.ts', [[' && !isStopped(ordinal)', '']], ['services/stopped-views']),
  inFile(
    'src/services/matching/match-by-hashes.ts',
    [
      [' || activeViews.isStopped(image.id, hit, type, hash)', ''],
      [' || activeViews.isStopped(known.image.id, hit, type, hash)', ''],
    ],
    ['services/stopped-views'],
  ),
  inFile('src/services/feed/feed-lines.ts', [['!isStopped(signal)', 'true']], ['http/floods']),
  inFile('packages/feed/src/held.ts', [['entry.signal.narrowed && !isCopy', 'false && !isCopy']], ['feed/held-videos']),
  inFile(
    'packages/core/src/matching/registry-size.ts',
    [
      ['decades <= 0 ? 0 : Math.ceil(', 'decades <= 0 ? 0 : Math.floor('],
      ["strong: tighterBits('strong', pairs)", "strong: tighterBits('near', pairs)"],
      ["near: tighterBits('near', pairs)", 'near: 0'],
      [
        'images * UNMODELLED_RATES_A_PAIR.details <= left',
        'images * UNMODELLED_RATES_A_PAIR.details <= GOALS_AN_UPLOAD.near',
      ],
      ['images * UNMODELLED_RATES_A_PAIR.line <= left', 'true'],
      ['GOALS_AN_UPLOAD.near - pairs', 'GOALS_AN_UPLOAD.near - images'],
      ['Math.max(images, pdqRows)', 'images'],
      ['tighter.strong === 0 && trustsDetails', 'trustsDetails'],
      ['PAIR_SUM_BITS.match - tighter.near', 'PAIR_SUM_BITS.match'],
      ['PAIR_SUM_BITS.strong - tighter.strong', 'PAIR_SUM_BITS.strong'],
    ],
    STRICT,
  ),
  inFile(
    'packages/core/src/matching/grade.ts',
    [
      ['isProven(facts) && mayBeExact(signalType, strictness)', 'isProven(facts)'],
      ['aloneBits(type, views) - tighter.near', 'aloneBits(type, views)'],
      ['Math.min(ofBank, aloneBits', 'Math.max(ofBank, aloneBits'],
      ['isOfFile(type) ? ofBank : ', ''],
      ['corroborableBits(type, views) - tighter.strong : -1', 'corroborableBits(type, views) : -1'],
      ['corroborableBits(type, views) - tighter.strong : -1', 'corroborableBits(type, views) - tighter.strong : 15'],
      ['isOfFile(type) || SIGNAL_TYPES', 'SIGNAL_TYPES'],
      ['.thresholdBits >= tighter.strong', '.thresholdBits > tighter.strong'],
      ['nearTogetherBits <= sums.match', 'togetherBits <= sums.match'],
    ],
    STRICT,
  ),
  inFile(
    'packages/core/src/matching/edges.ts',
    [
      ['if (strictness.tighter.strong > 0) radii', 'if (false) radii'],
      ['radii.push(nearAloneBits(bank, type, views, strictness))', 'radii.push(nearAloneBits(bank, type, views, PER_PAIR))'],
    ],
    STRICT,
  ),
  inFile(
    'packages/core/src/matching/corroborations.ts',
    [['NOT_STRONG_BITS : bits, bits]', 'NOT_STRONG_BITS : bits, NOT_STRONG_BITS]']],
    ['domain/corroborations'],
  ),
  inFile(
    'src/services/index/image-facts.ts',
    [
      ["bank === CASES_BANK_NAME && tier === 'self-reported'", "tier === 'self-reported'"],
      ['    this.#settle()\n', ''],
      ['Math.abs(now - createdAtMs) < RECENT_MS', 'now - createdAtMs < RECENT_MS'],
    ],
    ['services/recent-images'],
  ),
  inFile(
    'src/services/matching/match-scope.ts',
    [
      ["grading !== 'per-upload'", 'grading === undefined'],
      ['shown * comparedImages', 'comparedImages'],
      ['size.pdqRows), size.images)', 'size.pdqRows))'],
      ['if (recent.images === 0) return ofRecent', 'return ofRecent'],
      ['{ ...settled, ofRecent }', 'settled'],
    ],
    STRICT,
  ),
  inFile(
    'src/services/matching/graded.ts',
    [
      ['if (found.isStrictlyDecided !== known.isStrictlyDecided) return found.isStrictlyDecided', ''],
      ['gradeWith(together.bits, together.nearBits)', 'gradeWith(together.bits, Number.POSITIVE_INFINITY)'],
    ],
    STRICT,
  ),
  inFile(
    'src/services/matching/graded.ts',
    [["grade === 'strong' && image.isByHashes ? 'near' : grade", 'grade']],
    ['services/match-videos'],
  ),
  inFile(
    'packages/core/src/matching/one-picture.ts',
    [
      ['distance(hash, whole) <= SAME_WHOLE_BITS', 'distance(hash, whole) < SAME_WHOLE_BITS'],
      ['else if (frame === undefined) own.push(hash)', 'else own.push(hash)'],
      ["type !== 'pdq' || view !== 'whole'", "type !== 'pdq'"],
    ],
    ['domain/one-picture'],
  ),
  inFile(
    'src/services/intake/registration.ts',
    [['isByHashes && !isVouchedFor ? withoutFalseWholes', 'isByHashes ? withoutFalseWholes']],
    ['http/match'],
  ),
  inFile(
    'src/services/intake/registration.ts',
    [['quotas.imagesOf(record), room)', 'quotas.imagesOf(record))']],
    ['http/case-quota'],
  ),
  inFile(
    'src/store/scripts/images/put-images.ts',
    [
      ["redis.call('INCRBY', ofDay, addedHashes)", ''],
      [' and ofCase > ownShare', ''],
      ['today > tonumber(mostOfDay) or ', ''],
    ],
    ['http/case-quota'],
  ),
  inFile(
    'src/services/intake/quotas.ts',
    [['most === undefined || assistance !== undefined || isVouchedFor', 'most === undefined']],
    ['http/case-quota'],
  ),
  inFile(
    'packages/core/src/matching/evidence.ts',
    [["PARTIAL.has(registered) || (isByHashes === true && registered !== 'whole')", 'PARTIAL.has(registered)']],
    ['domain/evidence'],
  ),
  inFile('src/services/matching/match-by-hashes.ts', [[' && mayBeExact(match.type, own)', '']], STRICT),
  inFile(
    'src/services/matching/pipeline.ts',
    [
      ['!byHashes.strictness.trustsDetails && thresholdBits === undefined', 'false'],
      ['!byHashes.strictness.trustsDetails && thresholdBits === undefined', '!byHashes.strictness.trustsDetails'],
      ["strictnessFor(strictness, image).trustsDetails ? 'near' : 'review'", "'near'"],
    ],
    STRICT,
  ),
  inFile(
    'src/services/matching/video/target-match.ts',
    [
      ['trustsLines || decidesAlone(reported)', 'true'],
      ['trustsLines ? segments : pairs', 'segments'],
      ["if (grade === 'review' && thresholdBits === undefined && best === undefined) return undefined", ''],
      [' && best === undefined) return', ') return'],
    ],
    STRICT,
  ),
  inFile(
    'src/services/matching/video/near-frames.ts',
    [
      [
        'nearAloneBits(bank, type, views, strictnessFor(strictness, { isRecent }))',
        'nearAloneBits(bank, type, views, { ...strictness, tighter: { strong: 0, near: 0 } })',
      ],
    ],
    STRICT,
  ),
  inFile('src/http/routes/match.ts', [['        grading,\n', '']], ['http/per-upload']),
  inFile('src/http/routes/match-images.ts', [['          grading,\n', '']], ['http/per-upload']),
  inFile('src/http/routes/match-videos.ts', [['        grading,\n', '']], ['http/per-upload']),
  inFile('src/http/hma/bank-matches.ts', [['    grading,\n', '']], ['http/per-upload']),
  inFile(
    'src/services/matching/hit-distance.ts',
    [
      ['export const MAX_BLUR_BITS = 15', 'export const MAX_BLUR_BITS = 16'],
      ['distanceBits === 0 ? 0 : blur.bitsOf', 'blur.bitsOf'],
      ['hit.distanceBits - MAX_BLUR_BITS', 'hit.distanceBits'],
      ['(exactBits(hit) + hit.distanceBits) >> 1', 'hit.distanceBits'],
      ['(before?.bitsOf(imageId) ?? 0)', 'now.bitsOf(imageId)'],
    ],
    BLUR,
  ),
  inFile('src/services/matching/probing/blur.ts', [['if (isBlurred(imageId)) {', 'if (true) {']], BLUR),
  inFile(
    'src/services/matching/query-digest.ts',
    [['for (const hash of hashes) digest.update(hash)', 'digest.update(hashes[0])']],
    BLUR,
  ),
  inFile(
    'src/services/matching/match-by-hashes.ts',
    [
      [
        'const hits = blurredHits(searcher, measured, blur)\n      const content',
        'const hits = measured\n      const content',
      ],
      ['const hits = blurredHits(searcher, measured, blur)\n    const veto', 'const hits = measured\n    const veto'],
    ],
    BLUR,
  ),
  inFile('src/services/matching/graded.ts', [['surplus - blurBits', 'surplus']], BLUR),
  inFile('src/services/matching/graded.ts', [['blurredHits(searcher, hits, blur)', 'hits']], BLUR),
  inFile(
    'src/services/matching/pipeline.ts',
    [['(match.details?.surplus ?? 0) >=', '(match.details?.surplus ?? 0) + 99 >=']],
    BLUR,
  ),
  inFile(
    'src/services/matching/video/near-frames.ts',
    [['const hits = blurredHits(searcher, all, blur)', 'const hits = all']],
    ['services/video-matcher'],
  ),
  inFile(
    'src/services/matching/probing/probing-guard.ts',
    [["worseGrade(match.grade, 'near')", "'near' as const"]],
    ['services/probing-guard'],
  ),
  inFile(
    'src/services/matching/probing/probing.ts',
    [
      ['outer >= PROBING_BUDGETS.blurred ||', 'false ||'],
      ['(isOneOfMany && outerOfAll >= PROBING_BUDGETS.blurred)', 'false'],
      ['outerOf(account) < PROBING_BUDGETS.most ? 1 : 0', '1'],
    ],
    ['http/probing', 'services/probing'],
  ),
  inFile(
    'src/services/cases/wishes.ts',
    [
      ["own.by === 'organisation' || own.byCode ?", 'true ?'],
      ['      requireCode(own)\n', ''],
      ['const effectiveAtMs = byCode ?', 'const effectiveAtMs = true ?'],
      ['if (!byCode && record.nextPin?.isByCode === true)', 'if (false)'],
    ],
    ['http/case-wishes'],
  ),
  inFile(
    'src/store/scripts/cases/try-pin.ts',
    [["if tonumber(redis.call('HGET', case, 'nextFromMs') or '0') > tonumber(atMs) then", 'if false then']],
    ['http/case-wishes'],
  ),
  inFile(
    'src/store/scripts/cases/case-life.ts',
    [
      [
        "if ifWished and tonumber(redis.call('HGET', case, 'endWishAtMs') or atMs + 1) > tonumber(atMs) then",
        'if false then',
      ],
    ],
    ['http/case-wishes'],
  ),
].flat()

export const trust = { mutations }
