// Whole histories of the service, from a seed, against a model of what was promised: test/history.
//
//   npm run fuzz:history -- [--seconds 60] [--seed 1] [--only imports,trust,…] [--ignore PROMISE,…] [--shrink-seconds 60] [--trace] [--json]
//
// Status 1 when a promise was not kept: the seed, the promise and the shortest sequence that shows it are printed.

import '../dist/test/history/main.js'
