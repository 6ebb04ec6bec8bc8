import { testRaces } from '../faults/race_tests.ts'

testRaces(Number(process.env['SALLYPORT_TEST_RACE_ROUNDS'] ?? 500))
