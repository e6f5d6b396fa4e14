// Faults of what finds pictures by their details, for fuzz/mutate-details.mjs. Each `from` occurs once in its file.
//
// A fault that has `survives` is not told from the original by any test, and the text says why none could.

const details = (file, faults) => of(`src/hash/details/${file}.ts`, faults)
const services = (file, faults) => of(`src/services/${file}.ts`, faults)

function of(file, faults) {
  return faults.map(([from, to, survives]) => ({ file, from, to, survives }))
}

export const mutations = [
  details('vote', [
    ['Math.abs(a.levels - b.levels) > LEVELS_APART', 'false'],
    ['Math.min(turned, TURNS - turned) > TURNS_APART', 'turned > TURNS_APART'],
    ['Math.min(turned, TURNS - turned) > TURNS_APART', 'false'],
    ['Math.hypot(a.x - b.x, a.y - b.y) <= reachPx', 'true'],
    ['agreeing: Math.min(rows, needles)', 'agreeing: rows'],
    ['agreeing: Math.min(rows, needles)', 'agreeing: needles'],
    ['if (vote.agreeing > best.agreeing ||', 'if (vote.agreeing < best.agreeing ||'],
    ['asked.turn - registered.turn', 'asked.turn + registered.turn'],
    ['LEVEL_FACTOR ** levels', '1'],
    ['dx * Math.cos(angle) - dy * Math.sin(angle)', 'dx * Math.cos(angle) + dy * Math.sin(angle)'],
    ['- EACH_BIT * distanceBits', '+ EACH_BIT * distanceBits'],
    ['- Math.log10(pictures)', ''],
  ]),
  details('verify', [
    ['inliers >= least && cells >= LEAST_CELLS', 'inliers >= least || cells >= LEAST_CELLS'],
    ['inliers >= least && cells >= LEAST_CELLS', 'inliers >= least'],
    ['inliers >= least && cells >= LEAST_CELLS', 'cells >= LEAST_CELLS'],
    ['LEAST_INLIERS = 8', 'LEAST_INLIERS = 4'],
    ['LEAST_CELLS = 6', 'LEAST_CELLS = 1'],
    ['scale <= upToScale', 'scale >= upToScale'],
    ['Math.max(LEAST_INLIERS, Math.ceil(share * seen))', 'LEAST_INLIERS'],
    ['Math.max(LEAST_INLIERS, Math.ceil(share * seen))', 'Math.ceil(share * seen)'],
    ['x >= 0 && y >= 0 && x < width && y < height', 'true'],
    ['nearestBack[to]?.to !== i', 'false'],
    ['if (bits < own.bits)', 'if (bits > own.bits)'],
    ['Math.min(asked, registered) < LEAST_APART_PX ** 2', 'false'],
    ['Math.max(asked / registered, registered / asked) > MOST_SCALE ** 2', 'false'],
    ['return across * across + down * down', 'return (across * across + down * down) / (cos * cos + sin * sin)'],
    ['sin: (ry * ax - rx * ay) / asked', 'sin: (rx * ay - ry * ax) / asked'],
    ['((column + 0.5) * width) / PLACES', '(column * height) / PLACES'],
    ['TOLERANCE_CELLS = 0.8', 'TOLERANCE_CELLS = 8'],
    ['if (agreeing.length <= best.length) continue', ''],
  ]),
  details('features', [
    [
      'for (const cell of cells) cell.sort((a, b) => b.corner.strength - a.corner.strength)',
      'for (const cell of cells) cell.sort((a, b) => a.corner.strength - b.corner.strength)',
    ],
    ['round.slice(0, count - chosen.length)', 'round'],
    ['Math.min(sidePx, Math.max(right - left, bottom - top))', 'sidePx'],
    ['if (Math.min(levelWidth, levelHeight) < LEAST_SIDE_PX) break', 'break'],
    ['turn, true) : undefined', 'turn, false) : undefined'],
    ['cells[cellOf(one, width, height)]?.push(one)', 'cells[0]?.push(one)'],
  ]),
  details('kept', [
    ['(TURNS + TURNS / 2 - turn) % TURNS', '(TURNS - turn) % TURNS'],
    ['x: width - x, y, turn:', 'x, y, turn:'],
    ['Math.round((turn * KEPT_TURNS) / TURNS) % KEPT_TURNS', 'Math.round((turn * KEPT_TURNS) / TURNS)'],
    ['Math.floor((x * PLACES) / width)', 'Math.floor((y * PLACES) / width)'],
  ]),
  details('rows', [
    ['place < COARSE_PLACES ** 2', 'place <= COARSE_PLACES ** 2', 'a place is a byte'],
    ['pose >> LEVEL_BITS < KEPT_TURNS', 'pose >> LEVEL_BITS <= KEPT_TURNS'],
    ['(pose & LEVEL_MASK) < LEVELS', '(pose & LEVEL_MASK) <= LEVELS'],
    ['place: coarse(row) * COARSE_PLACES + coarse(column)', 'place: coarse(column) * COARSE_PLACES + coarse(row)'],
    ['((pose >> LEVEL_BITS) * TURNS) / KEPT_TURNS', 'pose >> LEVEL_BITS'],
  ]),
  details('select', [
    ['stable > 0 ?', 'stable >= 0 ?'],
    ['b.stable - a.stable', 'a.stable - b.stable'],
    ['chosen.length < MAX_RANKED) chosen.push', 'true) chosen.push'],
    ['bits <= FOUND_AGAIN_BITS ? 1 :', 'bits <= FOUND_AGAIN_BITS ? 0 :'],
    ['<= reach,', '<= 100 * reach,'],
  ]),
  details('written', [
    ['if (count > MAX_ASKED_VIEWS) return undefined', ''],
    ['length > MAX_ASKED_FEATURES', 'false'],
    ['Math.max(width, height) > MAX_ASKED_SIDE_PX', 'false'],
    ['Math.min(width, height) < 1', 'false'],
    ['turn < TURNS && level', 'turn <= TURNS && level'],
    ['level < LEVELS', 'level <= LEVELS'],
    ['x < width && y', 'x <= width && y'],
    ['part.left >= part.right || part.top >= part.bottom', 'part.left > part.right || part.top > part.bottom'],
    ['return read.isDone ? views : undefined', 'return views'],
    ['if (!read.isDone || rows.length', 'if (rows.length'],
    ['!rows.every(isDetailRow) ||', ''],
    ['|| !points.every(isPoint)', ''],
  ]),
  services('detail-rows', [
    ['filter(({ hash }) => !common.isDecoration(hash))', 'filter(() => true)'],
    ['own.length < LEAST_OWN_SHARE * ranked.rows.length', 'false'],
    ['filter((other) => other !== kin)', 'filter(() => true)'],
    ['if (others < DECORATION_KINS)', 'if (others <= DECORATION_KINS)'],
    ['common.isInBackground(row.hash) ? 1 : 0', '0'],
    ['.slice(0, MAX_DETAIL_ROWS)', ''],
  ]),
  services('common-rows', [
    ['index.insert(0, 0, veil.hash(hashFromBytes(bytes, at)))', 'index.insert(0, 0, hashFromBytes(bytes, at))'],
    ['index.within([row], DETAIL_BITS).length > 0', 'index.within([row], 0).length > 0'],
    ["isInBackground: isNearAny('background-rows.bin')", "isInBackground: isNearAny('decoration-rows.bin')"],
  ]),
  services('detail-finder', [
    ['kins >= DECORATION_KINS ||', 'kins > DECORATION_KINS ||'],
    ['kins >= DECORATION_KINS ||', ''],
    ['|| common.isDecoration(feature.hash)', ''],
    ['new Set(near.map(({ image }) => catalogue.places.kinOf(image))).size', 'near.length'],
    ['agreeing < LEAST_AGREEING', 'agreeing <= LEAST_AGREEING + 8'],
    ['agreeing < LEAST_AGREEING', 'false'],
    ['.slice(0, CANDIDATES)', ''],
    ['asked.slice(0, NEEDLES_A_VIEW)', 'asked'],
    ['sort((a, b) => b.weight - a.weight)', 'sort((a, b) => a.weight - b.weight)'],
    ['mirrors ? [false, true] : [false]', '[false, true]'],
    ['mirrors ? [false, true] : [false]', '[false]'],
    ['|| role(image) === undefined', ''],
    ['if (isShown(result))', 'if (true)'],
    ['isMirrored ? view.width - pair.x : pair.x', 'pair.x'],
    ["role(ordinal) === 'harmless')", 'false)'],
    ["filter(({ ordinal }) => role(ordinal) === 'wanted')", 'filter(() => true)'],
    ['hash: veil.hash(feature.hash) }))', 'hash: feature.hash }))'],
  ]),
  services('veil', [
    ['points: { ...points, points: points.points.map((point) => ({ ...point, hash: veiled(point.hash) })) }', 'points'],
    ['const sum = new Uint32Array(maskWords)', 'const sum = new Uint32Array(maskWords.length)'],
  ]),
  services('match-by-details', [
    ["grade: 'near'", "grade: 'strong'"],
    ["isMirrored ? 'flipY' : 'original'", "'original'"],
    ["if (vetoing.has(bank)) return 'harmless'", ''],
    ['banks.has(bank) && !except.has(ordinal)', '!except.has(ordinal)'],
  ]),
].flat()
