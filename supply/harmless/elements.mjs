// Bare elements of apps and papers, from boxes, discs and words. Of nobody's app, and not those of bench/lookalikes.

/** Ground, surface, ink, accent, muted. */
export const PALETTES = {
  light: ['#f2f3f5', '#ffffff', '#1a1b1e', '#2f6fed', '#9aa0a8'],
  dark: ['#121316', '#2b2d32', '#f4f4f6', '#4c9bff', '#6d727b'],
  warm: ['#fbf3e7', '#fffdf9', '#3a2a1c', '#d0672a', '#b7a692'],
}

/** High for their width, as some draw them. */
export const PROPORTIONS = [1, 1.15]

const box = (x, y, w, h, fill, r = 0) => `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="${r}" fill="${fill}"/>`
const disc = (x, y, r, fill) => `<circle cx="${x}" cy="${y}" r="${r}" fill="${fill}"/>`
const say = (x, y, size, fill, text, anchor = 'middle') =>
  `<text x="${x}" y="${y}" font-size="${size}" font-family="sans-serif" fill="${fill}" text-anchor="${anchor}">${text}</text>`
const lines = (x, y, widths, step, thick, fill) =>
  widths.map((wide, i) => box(x, y + i * step, wide, thick, fill, thick / 2)).join('')
const grid = (columns, rows, draw) =>
  Array.from({ length: rows * columns }, (_, i) => draw(i % columns, Math.floor(i / columns))).join('')

/** Each draws `{ w, h, body }` in a palette; `wide` is one of a few proportions. */
export const ELEMENTS = {
  'letter keyboard': (p, wide) => keyboard(p, wide, ['qwertyuiop', 'asdfghjkl', 'zxcvbnm']),
  'capital keyboard': (p, wide) => keyboard(p, wide, ['QWERTYUIOP', 'ASDFGHJKL', 'ZXCVBNM']),
  'keyboard with digits': (p, wide) => keyboard(p, wide, ['1234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm']),
  'symbol keyboard': (p, wide) => keyboard(p, wide, ['1234567890', '@#$%*-+()', '!:;/?,.']),
  'emoji keyboard': ([ground, surface, , accent, muted], wide) => ({
    w: 1000,
    h: 560 * wide,
    body:
      box(0, 0, 1000, 560 * wide, ground) +
      box(30, 20, 940, 60, surface, 30) +
      grid(
        8,
        Math.floor(3.4 * wide),
        (i, j) =>
          disc(85 + i * 118, 160 + j * 120, 44, (i + j) % 3 === 0 ? accent : '#f4c744') +
          disc(71 + i * 118, 150 + j * 120, 6, muted) +
          disc(99 + i * 118, 150 + j * 120, 6, muted),
      ),
  }),
  'PIN pad': ([ground, surface, ink, , muted], wide) => ({
    w: 900,
    h: 1100 * wide,
    body:
      box(0, 0, 900, 1100 * wide, ground) +
      grid(4, 1, (i) => disc(330 + i * 80, 110, 14, i < 2 ? ink : muted)) +
      grid(3, 4, (i, j) =>
        j === 3 && i !== 1
          ? ''
          : disc(200 + i * 250, 290 + j * 200 * wide, 84, surface) +
            say(200 + i * 250, 312 + j * 200 * wide, 66, ink, j === 3 ? 0 : 1 + i + 3 * j),
      ),
  }),
  'question box': ([, surface, ink, accent, muted], wide) => ({
    w: 800,
    h: 420 * wide,
    body:
      box(0, 0, 800, 420 * wide, accent, 36) +
      box(30, 190 * wide, 740, 190 * wide, surface, 24) +
      say(400, 120 * wide, 56, '#ffffff', 'Ask me anything') +
      say(400, 300 * wide, 44, muted, 'Type something') +
      disc(400, 30, 34, ink),
  }),
  poll: ([ground, surface, ink, accent, muted], wide) => ({
    w: 800,
    h: 460 * wide,
    body:
      box(0, 0, 800, 460 * wide, ground, 30) +
      say(400, 90 * wide, 54, ink, 'What do you think?') +
      box(40, 150 * wide, 720, 110 * wide, surface, 20) +
      box(40, 150 * wide, 460, 110 * wide, accent, 20) +
      box(40, 300 * wide, 720, 110 * wide, surface, 20) +
      box(40, 300 * wide, 240, 110 * wide, muted, 20),
  }),
  'blank chat': ([ground, surface, ink, accent, muted], wide) => ({
    w: 900,
    h: 1500 * wide,
    body:
      box(0, 0, 900, 1500 * wide, ground) +
      box(0, 0, 900, 150, accent) +
      disc(130, 78, 50, surface) +
      lines(210, 50, [260, 160], 44, 22, surface) +
      grid(1, 7, (_, j) =>
        box(j % 2 === 0 ? 30 : 330, 200 + j * 165 * wide, 540, 120 * wide, j % 2 === 0 ? surface : muted, 26),
      ) +
      box(30, 1500 * wide - 120, 740, 90, surface, 45) +
      disc(830, 1500 * wide - 75, 46, ink),
  }),
  'blank feed post': ([ground, surface, ink, accent, muted], wide) => ({
    w: 900,
    h: 1200 * wide,
    body:
      box(0, 0, 900, 1200 * wide, surface) +
      disc(90, 80, 46, accent) +
      lines(160, 55, [300, 180], 40, 20, muted) +
      box(0, 160, 900, 760 * wide, ground) +
      grid(3, 1, (i) => disc(80 + i * 100, 160 + 830 * wide, 32, ink)) +
      lines(50, 160 + 900 * wide, [700, 520], 46, 20, muted),
  }),
  'blank profile': ([ground, surface, ink, accent, muted], wide) => ({
    w: 900,
    h: 1400 * wide,
    body:
      box(0, 0, 900, 1400 * wide, surface) +
      box(0, 0, 900, 280, accent) +
      disc(180, 290, 120, ground) +
      lines(60, 450, [420, 640, 560], 52, 24, muted) +
      box(620, 340, 220, 74, ink, 37) +
      grid(3, 4, (i, j) => box(20 + i * 290, 640 + j * 290 * wide, 280, 280 * wide, (i + j) % 2 === 0 ? ground : muted)),
  }),
  'identity card': ([ground, surface, ink, accent, muted], wide) => ({
    w: 1000,
    h: 630 * wide,
    body:
      box(0, 0, 1000, 630 * wide, surface, 36) +
      box(0, 0, 1000, 110 * wide, accent) +
      say(500, 76 * wide, 52, '#ffffff', 'IDENTITY CARD') +
      box(50, 160 * wide, 260, 340 * wide, ground) +
      disc(180, 270 * wide, 70, muted) +
      box(90, 360 * wide, 180, 140 * wide, muted, 60) +
      lines(370, 180 * wide, [240, 520, 200, 460, 220, 380], 62 * wide, 22, muted) +
      lines(50, 545 * wide, [900], 30, 26, ink),
  }),
  'bank card': ([, , ink, accent, muted], wide) => ({
    w: 1000,
    h: 630 * wide,
    body:
      box(0, 0, 1000, 630 * wide, accent, 46) +
      box(80, 220 * wide, 130, 100 * wide, '#d9b75a', 18) +
      say(90, 440 * wide, 74, '#ffffff', '0000 0000 0000 0000', 'start') +
      lines(90, 520 * wide, [360], 40, 30, '#ffffff') +
      disc(820, 530 * wide, 70, ink) +
      disc(900, 530 * wide, 70, muted),
  }),
  receipt: ([ground, surface, ink, , muted], wide) => ({
    w: 640,
    h: 1300 * wide,
    body:
      box(0, 0, 640, 1300 * wide, surface) +
      say(320, 90, 58, ink, 'RECEIPT') +
      lines(170, 130, [300, 220], 36, 18, muted) +
      grid(
        1,
        12,
        (_, j) => box(50, 260 + j * 62 * wide, 240 + ((j * 67) % 130), 22, ink) + box(510, 260 + j * 62 * wide, 80, 22, ink),
      ) +
      box(50, 1030 * wide, 540, 6, ink) +
      say(50, 1110 * wide, 54, ink, 'TOTAL', 'start') +
      grid(34, 1, (i) => box(60 + i * 15.5, 1160 * wide, 4 + ((i * 7) % 8), 100, i % 5 === 4 ? ground : ink)),
  }),
  'transfer done': ([ground, surface, ink, accent, muted], wide) => ({
    w: 900,
    h: 1500 * wide,
    body:
      box(0, 0, 900, 1500 * wide, ground) +
      disc(450, 300 * wide, 130, accent) +
      `<path d="M385 ${300 * wide}l50 54 92 -104" fill="none" stroke="#fff" stroke-width="26"/>` +
      say(450, 530 * wide, 62, ink, 'Transfer successful') +
      box(60, 620 * wide, 780, 560 * wide, surface, 30) +
      grid(
        1,
        5,
        (_, j) =>
          lines(110, 680 * wide + j * 100 * wide, [200], 10, 26, muted) +
          lines(520, 680 * wide + j * 100 * wide, [260], 10, 26, ink),
      ) +
      box(60, 1300 * wide, 780, 120, accent, 60),
  }),
  'form to fill in': ([, surface, ink, accent, muted], wide) => ({
    w: 900,
    h: 1270 * wide,
    body:
      box(0, 0, 900, 1270 * wide, surface) +
      say(450, 100, 60, ink, 'APPLICATION FORM') +
      grid(
        2,
        7,
        (i, j) =>
          lines(60 + i * 410, 180 + j * 135 * wide, [170], 10, 18, muted) +
          `<rect x="${60 + i * 410}" y="${212 + j * 135 * wide}" width="370" height="74" fill="none" stroke="${ink}" stroke-width="4"/>`,
      ) +
      box(60, 1150 * wide, 300, 80, accent),
  }),
  certificate: ([ground, surface, ink, accent, muted], wide) => ({
    w: 1200,
    h: 850 * wide,
    body:
      box(0, 0, 1200, 850 * wide, accent) +
      box(40, 40, 1120, 850 * wide - 80, surface) +
      box(60, 60, 1080, 850 * wide - 120, ground) +
      say(600, 210 * wide, 84, ink, 'CERTIFICATE') +
      lines(300, 320 * wide, [600], 10, 20, muted) +
      lines(200, 430 * wide, [800, 800, 500], 56 * wide, 16, muted) +
      disc(960, 690 * wide, 76, accent),
  }),
  'news banner': ([, surface, ink], wide) => ({
    w: 1000,
    h: 420 * wide,
    body:
      box(0, 0, 1000, 420 * wide, surface) +
      box(0, 60 * wide, 1000, 190 * wide, '#c01420') +
      say(500, 185 * wide, 96, '#ffffff', 'BREAKING NEWS') +
      box(0, 250 * wide, 1000, 110 * wide, ink) +
      lines(40, 290 * wide, [700], 10, 34, surface),
  }),
  'two panels': ([ground, surface, ink, accent, muted], wide) => ({
    w: 900,
    h: 900 * wide,
    body:
      box(0, 0, 900, 900 * wide, surface) +
      box(0, 0, 450, 450 * wide, accent) +
      box(0, 450 * wide, 450, 450 * wide, ground) +
      disc(220, 210 * wide, 110, muted) +
      disc(230, 690 * wide, 110, muted) +
      box(445, 0, 10, 900 * wide, ink) +
      box(0, 445 * wide, 900, 10, ink),
  }),
  'video player': ([ground, , ink, accent, muted], wide) => ({
    w: 1200,
    h: 680 * wide,
    body:
      box(0, 0, 1200, 680 * wide, ground) +
      disc(600, 310 * wide, 110, ink) +
      `<path d="M566 ${250 * wide}l100 60 -100 60z" fill="${ground}"/>` +
      box(40, 590 * wide, 1120, 14, muted, 7) +
      box(40, 590 * wide, 420, 14, accent, 7) +
      disc(460, 597 * wide, 22, accent),
  }),
  'music player': ([ground, surface, ink, accent, muted], wide) => ({
    w: 900,
    h: 1400 * wide,
    body:
      box(0, 0, 900, 1400 * wide, ground) +
      box(100, 130, 700, 700, accent, 30) +
      disc(450, 480, 190, surface) +
      disc(450, 480, 50, ink) +
      lines(100, 900 * wide, [460, 300], 56, 28, ink) +
      box(100, 1080 * wide, 700, 10, muted) +
      disc(280, 1085 * wide, 20, ink) +
      grid(3, 1, (i) => disc(250 + i * 200, 1240 * wide, i === 1 ? 80 : 46, i === 1 ? accent : muted)),
  }),
  calendar: ([ground, surface, ink, accent, muted], wide) => ({
    w: 1000,
    h: 900 * wide,
    body:
      box(0, 0, 1000, 900 * wide, ground) +
      box(0, 0, 1000, 140 * wide, accent) +
      grid(
        7,
        5,
        (i, j) =>
          box(25 + i * 137, 170 * wide + j * 142 * wide, 128, 132 * wide, surface, 12) +
          say(60 + i * 137, 220 * wide + j * 142 * wide, 40, (i + j) % 5 === 0 ? ink : muted, 1 + i + 7 * j),
      ),
  }),
}

function keyboard([ground, surface, ink, accent, muted], wide, rows) {
  const h = 620 * wide
  const high = (h - 120) / (rows.length + 1)
  const key = (x, row, w, fill, text) =>
    box(x + 5, 96 + row * high + 6, w - 10, high - 14, fill, 12) +
    say(x + w / 2, 96 + row * high + high * 0.6, high * 0.4, ink, text)
  const letters = rows.flatMap((row, r) =>
    [...row].map((one, i) => key((1000 - 100 * row.length) / 2 + 100 * i, r, 100, surface, one)),
  )
  const last = rows.length
  const foot = key(0, last, 180, muted, '123') + key(180, last, 600, surface, 'space') + key(780, last, 220, accent, 'Go')
  const sides = key(0, last - 1, 140, muted, '^') + key(860, last - 1, 140, muted, 'x')
  return {
    w: 1000,
    h,
    body:
      box(0, 0, 1000, h, ground) +
      lines(60, 40, [220], 10, 24, muted) +
      lines(400, 40, [200], 10, 24, muted) +
      sides +
      letters.join('') +
      foot,
  }
}
