// Mutations of the search engine that keep all answers right and cost time or memory.

import { kernel, typescript } from './in-file.mjs'

export const slower = [
  kernel('probe', [
    ['span += size != 0 ? 8 : 0', 'span += 8', 'spans of no rows have room, and nothing is found in them'],
    ['      touched += load<u8>(to - 1)\n', '', 'asking for memory early changes no answer; measured in bench/search.mjs'],
  ]),
  kernel('probe', [
    ['if (unsure > maxEnd) return 0', 'if (unsure > maxEnd + 4) return 0'],
    ['if (unsure > maxEnd) return 0', 'if (unsure >= maxEnd) return 0'],
  ]),
  kernel('candidates', [
    [' && unsure <= maxEnd', '', 'what is listed beyond is thrown away; measured in bench/search-worst.mjs'],
  ]),
  kernel('chains', [
    ['const BANDS_AT_ONCE: u32 = 4', 'const BANDS_AT_ONCE: u32 = 16', 'either is right; measured in bench/search-worst.mjs'],
    ['ballAt(reach - 1 - bits, key & 63)', 'ballAt(reach - bits, key & 63)'],
  ]),
  kernel('wide', [
    ['if (survivors > maxEnd) return 0', 'if (survivors > maxEnd + 4) return 0'],
    ['if (survivors > maxEnd) return 0', 'if (survivors >= maxEnd) return 0'],
    [' && survivors <= maxEnd', '', 'what is listed beyond is thrown away; measured in bench/search-worst.mjs'],
  ]),
  kernel('layout', [['  thirdMask = ((<u32>1 << (32', '  thirdMask = 0 * ((<u32>1 << (32']]),
  kernel('scan', [
    [
      '      if (bits >= bestBits) continue\n      if (wordsFirst',
      '      if (bits > bestBits) continue\n      if (wordsFirst',
      'the whole distance is compared after it',
    ],
    [
      'const NARROW_BITS: u32 = 44',
      'const NARROW_BITS: u32 = 0',
      'either way is right; which is quicker is measured in bench/search.mjs',
    ],
  ]),
  typescript('plan', [
    [
      'if (through >= (next[sum] ?? 0)) continue',
      'if (through > (next[sum] ?? 0)) continue',
      'of plans that cost the same either will do',
    ],
    ['if (through >= (next[sum] ?? 0)) continue', 'if (through <= (next[sum] ?? 0)) continue'],
    ['(best[sum - reach] ?? 0) + cost', '(best[sum - reach] ?? 0)'],
    ['shareWithin(2 * reach - 1 - bits)', 'shareWithin(2 * reach - bits)'],
    ['SCAN_FURTHER_NS * (needles - 1)', 'SCAN_FURTHER_NS * needles'],
    ['(scanNs(rows, 1) * 0.25) / ROW_NS', 'scanNs(rows, 1)'],
    ['quarterScanRows(rows) + 2 * plan.survivors', 'quarterScanRows(rows)'],
    ['keys * (1 - Math.exp(-candidates / keys))', 'keys'],
    ['Math.min(1, rows / UNCACHED_ROWS)', '1'],
    ['Math.min(1, rows / UNCACHED_ROWS)', 'rows / UNCACHED_ROWS'],
    ['reduce((sum, ns) => sum + ns, 0)', 'reduce((_, ns) => ns, 0)'],
    ['candidates += counts[band * shape.maxReach + bits] ?? 0', 'candidates += counts[band + bits] ?? 0'],
    ['(candidates - plan.candidates) *', '(plan.candidates - candidates) *'],
    ['keys = (keys * (16 - bits)) / (bits + 1)', 'keys = (keys * (15 - bits)) / (bits + 1)'],
  ]),
  typescript('head', [
    ['(scannedNs - plan.probes * FIRST_NS) / VISIT_NS', 'scannedNs / VISIT_NS'],
    ['plan.probes * FIRST_NS) / VISIT_NS', 'plan.probes * FIRST_NS)'],
    ['/ HEAD_ROWS > maxVisits) {', '/ HEAD_ROWS > maxVisits || plan.probes > 0) {'],
  ]),
  typescript('segment', [
    ['plan.costNs < scanNs(this.block.rows, 1)', 'true'],
    ['plan.costNs < scanNs(this.block.rows, 1)', 'plan.costNs > scanNs(this.block.rows, 1)'],
    ['costNs < REPLAN_FROM_NS || candidates', 'costNs > REPLAN_FROM_NS || candidates'],
    ['candidates < REPLAN_FROM_TIMES * plan.candidates', 'candidates > REPLAN_FROM_TIMES * plan.candidates'],
    ['own.costNs < costNs', 'own.costNs > costNs'],
    ['sorted.slice(0, probed), left }', 'sorted, left: [] }'],
    ['      probed = i\n', '      probed = i + 1\n'],
    ['perNeedleNs(a) - perNeedleNs(b)', 'perNeedleNs(b) - perNeedleNs(a)'],
    ['const gain = probedNs - scanNs(rows, scannedCount)', 'const gain = probedNs - scanNs(rows, 1)'],
    [
      'end < bandNs.length; end++',
      'end < bandNs.length - 1; end++',
      'the last band is probed by itself then, behind one pause more, and every band once',
    ],
    ['.fill(this.block.rows)', '.fill(0)', 'so wide a plan costs more for its keys alone, as far as was found'],
  ]),
  typescript('compaction', [
    ['(bits === 0 ? met - 1 : met)', 'met'],
    ['block.loadRowAsNeedle(Math.floor((sample * block.rows) / samples))', 'block.loadRowAsNeedle(0)'],
    ['      yield run.readRows\n', '      yield run.to - run.from\n'],
  ]),
  typescript('parts', [
    ['else this.#due -= step.value', 'else this.#due -= 1'],
    ['this.#due += steps', 'this.#due = steps'],
    ['    if (this.#isTidy) this.#due = 0\n', ''],
    [
      'if (this.#compacting === undefined || step === undefined) this.#isTidy = true',
      'if (this.#compacting === undefined || step === undefined) return true',
    ],
  ]),
].flat()
