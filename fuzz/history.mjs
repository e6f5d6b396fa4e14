// Compares random histories of the service with a model of its promises (test/history).
//
//   npm run fuzz history -- [--seconds 60] [--seed 1] [--only imports,trust,…] [--ignore PROMISE,…] [--other FOLDER] [--shrink-seconds 60] [--trace] [--json]
//
// The status is 1 when a promise was broken; the seed, the promise and the shortest sequence that shows it are printed.

import '../dist/test/history/main.js'
