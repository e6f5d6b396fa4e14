// Runs the page behind a proxy that causes one fault, once (test/line).
//
//   npm run fuzz page -- [--seconds 60 | --cases 100] [--seed 1] [--all] [--case NAME] [--list]
//
// Each journey × each of its requests × each fault. --case runs all cases whose names begin with NAME. The status is 1 when the page contradicts the store,
// or does not recover.

import '../dist/test/line/page.js'
