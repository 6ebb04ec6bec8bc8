// What npm test tries of commands on SQLite, on PostgreSQL as well.
process.env['SALLYPORT_TEST_EVERY_DATABASE'] = 'yes'
await import('../cli/keys.test.ts')
await import('../cli/rekey.test.ts')
