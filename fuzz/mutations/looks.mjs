// Mutations of how near pictures of one kind have to be, such as objects, screens of an app and pictures on one table.

import { inFile } from './in-file.mjs'

const mutations = [
  inFile(
    'packages/hash/src/deframe/object.ts',
    [
      ['TOLERANCE = 32', 'TOLERANCE = 31'],
      ['MIN_BORDER = 0.95', 'MIN_BORDER = 0.8'],
      ['MIN_ONE = 0.9', 'MIN_ONE = 0.5'],
      ['MAX_RECTANGULAR = 0.9', 'MAX_RECTANGULAR = 0.95'],
      ['if (share < MIN_BORDER) return false', ''],
      ['MIN_TOUCHED_BORDER = 0.9', 'MIN_TOUCHED_BORDER = 0.95'],
      ['if (around.length === CELLS * CELLS) return false', ''],
      ['(CELLS * CELLS - around.length)', 'around.length'],
      ['if (part.length > most.length) most = part', 'most = part'],
      ['column > 0', 'true'],
      ['column < CELLS - 1', 'true'],
      ['Math.max(last, column)', 'column'],
      ['<= 0) chain.pop()', '< 0) chain.pop()'],
      ['(across * across + down * down)', '1'],
      ['Math.min(minArea, ', '('],
    ],
    ['hash/deframe/object'],
  ),
  inFile(
    'packages/hash/src/file-frames.ts',
    [['isAlike && pictures.some(({ isObject })', 'pictures.some(({ isObject })']],
    ['hash/deframe/object'],
  ),
  inFile(
    'packages/hash/src/image-hasher.ts',
    [
      [
        "purpose === 'query' && (extent === 'all' || extent === 'frame') ? groundOf",
        "extent === 'all' || extent === 'frame' ? groundOf",
      ],
      ["purpose === 'query' && (extent === 'all' || extent === 'frame') ? groundOf", "purpose === 'query' ? groundOf"],
      ['isCore === true && isPlain(ground)', 'isCore === true && isObject(raster, ground)'],
      [' && !isSideOfGround(view)', ''],
    ],
    ['hash/deframe/object'],
  ),
  inFile(
    'packages/core/src/matching/objects.ts',
    [
      ['BOX_BITS = 20', 'BOX_BITS = 22'],
      ['OTHER_BITS = 24', 'OTHER_BITS = 26'],
      ['SUM_BITS = 84', 'SUM_BITS = 86'],
      [' && !isFramed', ''],
      ["asked === 'tilted' && registered === 'whole'", 'false'],
      ["asked === 'tilted' && registered === 'whole'", "asked === 'tilted'"],
      ['if (one.type !== type) continue', ''],
      ['Math.min(aloneBits(type, views), ', '('],
    ],
    ['domain/objects'],
  ),
  inFile('src/services/matching/graded.ts', [['const ofObject = isObject', 'const ofObject = isForm']], ['domain/objects']),
  inFile('src/services/matching/graded.ts', [['isPartial || isBent', 'isPartial']], ['services/blur']),
  inFile(
    'src/services/matching/graded.ts',
    [['Math.min(agreement.surplusBits, agreement.evenSurplusBits) < 0', 'agreement.surplusBits < 0']],
    ['services/blur'],
  ),
  inFile(
    'packages/core/src/matching/agreement.ts',
    [
      ['bits: 14, times: 2', 'bits: 16, times: 2'],
      ['bits: 14, times: 2', 'bits: 14, times: 3'],
      ['Math.min(AGREES_BITS.parts, UNEVEN', 'Math.min(256, UNEVEN'],
      ['nearest > AGREES_BITS.quarter', 'nearest === NONE_BITS'],
      ['rows.length >= PIECES ? bits : bits', 'rows.length < 0 ? bits : bits'],
      ['Math.min(...framed) < Math.min(...whole) ? framed', 'false ? framed'],
      ['bits.length < 2 || ', ''],
    ],
    ['domain/agreement'],
  ),
  inFile(
    'src/services/matching/pipeline.ts',
    [['isForm: isForm && hasPieces(signals), isObject }', 'isForm: isForm && hasPieces(signals) }']],
    ['domain/objects'],
  ),
  inFile(
    'packages/hash/src/views.ts',
    [
      [' && isPictureIn(raster, part)', ''],
      ["framed === undefined ? withoutSides(whole, 'tilted') : []", '[]'],
      ["framed === undefined ? withoutSides(whole, 'tilted') : []", "withoutSides(whole, 'tilted')"],
      ["withoutSides(whole, 'tilted')", "withoutSides(whole, 'crop')"],
      ['part: within(part, share), isCore: true', 'part: within(part, share)'],
    ],
    ['hash/views'],
  ),
  inFile(
    'src/services/matching/probing/observed.ts',
    [
      ['const isLower = (', 'const isLower = 0 > ('],
      ['Math.min(known.othersBits, bits.othersBits)', 'known.othersBits'],
    ],
    ['services/observed'],
  ),
  inFile(
    'src/services/matching/graded.ts',
    [['atMs === undefined ? agreement?.insideBits : undefined', 'agreement?.insideBits']],
    ['domain/forms'],
  ),
].flat()

export const looks = { mutations }
