// What npm test looks at on some pages, with some payloads, on every state of every page, with every payload.
process.env['SALLYPORT_TEST_EVERY_PAGE'] = 'yes'
await import('../browser/pages.test.ts')
await import('../pages/templates.test.ts')
